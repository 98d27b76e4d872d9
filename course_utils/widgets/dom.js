// Helpers shared by every drawing. Text is only ever set as text, never as markup.

const FOCUSABLE = new Set(["a", "button", "input", "select", "summary", "textarea"]);

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "style") Object.entries(value).forEach((pair) => node.style.setProperty(...pair));
    else node.setAttribute(name, value === true ? "" : value);
  }
  // JupyterLab looks for this on the focused element itself, before it takes a key for a shortcut.
  if (FOCUSABLE.has(node.localName)) node.setAttribute("data-lm-suppress-shortcuts", "true");
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

// An HTML element; children are nodes or text.
function h(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

// An SVG element.
function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

// Text in which `code` stands between backticks.
function rich(text) {
  return text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));
}

// The frame of a widget: keys pressed inside it stay inside it. A group, because a page has many of them: as
// regions they would bury the few landmarks that a page should have.
function frame(el, kind, label, ...children) {
  const root = h("div", { class: `course course-${kind}`, role: "group", "aria-label": label,
    onkeydown: (event) => event.stopPropagation() }, ...children);
  el.replaceChildren(root);
  return root;
}

// A region that screen readers read out when it changes.
function live(...children) {
  return h("div", { role: "status", class: "course-live" }, ...children);
}

// Puts `nodes` where others stood. Who was on a control among those is on the same one afterwards.
function swap(place, ...nodes) {
  const controls = () => [...place.querySelectorAll([...FOCUSABLE, "[tabindex]"].join())];
  const at = controls().indexOf(document.activeElement);
  place.replaceChildren(...nodes);
  if (at >= 0) (controls()[at] ?? controls().at(-1))?.focus({ preventScroll: true });
}

// A place for a drawing that is made anew for the width there is, so that writing in it keeps its size.
function fitted(widest, draw) {
  const place = h("div", {});
  let width = 0;
  const redraw = () => { if (width) place.replaceChildren(draw(width)); };
  new ResizeObserver(([{ contentRect }]) => {
    const now = Math.min(Math.round(contentRect.width), widest);
    if (now !== width) { width = now; redraw(); }
  }).observe(place);
  return { place, redraw };
}

const NO_REPLY = "No reply yet. If a cell is running, this waits for it to end. If the kernel was restarted, " +
  "run this cell again.";

// Sends a message to Python and says, through `say`, how it stands until the reply has come.
function sender(model, say, replied, noReply = NO_REPLY) {
  let timer = null;
  model.on("change:replies", () => {
    clearTimeout(timer);
    say(model.get("trouble"));
    if (!model.get("trouble")) replied();
  });
  return (message, words, buffers) => {
    say(words);
    clearTimeout(timer);
    timer = setTimeout(() => say(noReply), 2500);
    model.send(message, undefined, buffers);
  };
}

// Sign, word and words of a verdict, with the checks it is made of.
function verdictNodes(verdict) {
  const checks = verdict.checks.map((check) => h("li", { "data-passed": String(check.passed) },
    h("span", { class: "course-sign", "aria-hidden": "true" }, check.passed ? "✔" : "✘"),
    h("span", {}, h("span", { class: "course-hidden" }, check.passed ? "passed: " : "failed: "), check.name,
      check.message ? [": ", rich(check.message)] : "")));
  const details = verdict.outcome === "our fault" ? "Lines to report" : "Your lines";
  return h("div", { class: "course-verdict", "data-outcome": verdict.outcome },
    h("p", {}, h("span", { class: "course-sign", "aria-hidden": "true" }, verdict.sign), " ",
      h("strong", {}, verdict.word), h("span", { class: "course-said" }, rich(verdict.message))),
    checks.length ? h("ul", { class: "course-checks" }, checks) : "",
    verdict.details ? h("details", {}, h("summary", {}, details), h("pre", {}, verdict.details)) : "");
}

// A link to a heading of the notebook that the widget stands in.
function headingLink(anchor) {
  const name = anchor.slice(1);
  const jump = (event) => {
    const heading = document.querySelector(`[data-jupyter-id="${CSS.escape(name)}"], [id="${CSS.escape(name)}"]`);
    if (!heading) return;
    event.preventDefault();
    heading.scrollIntoView({ block: "start" });
  };
  return h("a", { href: anchor, onclick: jump }, name.replaceAll("-", " "));
}

function warning(words) {
  return h("p", { class: "course-warning" }, h("span", { class: "course-sign" }, "⚠ "), rich(words));
}

// Below a snapshot of a model: what was seen and when, and a button to look again.
function snapshotFooter(model, summary) {
  const waiting = h("span", { role: "status" });
  const send = sender(model, (words) => waiting.replaceChildren(words), () => {});
  const again = () => send({ do: "refresh" }, "Looking …");
  return h("div", {}, summary, h("div", { class: "course-buttons" },
    h("button", { type: "button", onclick: again }, "Look again"), waiting));
}

function drawSummary(model, summary, weights) {
  summary.replaceChildren(
    ...model.get("notes").map(warning),
    h("p", {}, h("strong", {}, model.get("summary")), weights ? `. Weights: ${weights}` : ""),
    h("p", { class: "course-quiet" }, `A snapshot: the model as it was at ${model.get("taken")}.`));
}
