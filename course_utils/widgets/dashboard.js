// How much is done and where to go on; what was missed, with links back; each lesson with its objectives.

const AT_FIRST = 5; // so many missed items are shown; the rest unfolds

function render({ model, el }) {
  const place = model.get("place");
  const missed = model.get("missed");
  const lessons = model.get("lessons");
  const notice = model.get("notice");

  frame(el, "progress", "Your progress",
    notice ? warning(notice) : "",
    model.get("headline") ? h("p", {}, h("strong", {}, model.get("headline"))) : "",
    place ? h("p", {}, h("span", { class: "course-kind" }, place.verb), h("br"),
      notebookLink(place, place.lesson), " with ", rich(place.what)) : "",
    missed.length ? [h("h4", {}, "Look again"), missedList(missed.slice(0, AT_FIRST))] : "",
    missed.length > AT_FIRST ? h("details", {}, h("summary", {}, `${missed.length - AT_FIRST} more to look at again`),
      missedList(missed.slice(AT_FIRST))) : "",
    lessons.length ? [h("h4", {}, "Lessons"),
      h("ol", { class: "course-bars" }, lessons.map((lesson) => lessonRow(lesson, place)))] : "");
}

function missedList(missed) {
  return h("ul", {}, missed.map((one) => h("li", { class: one.certain ? "course-warning" : null },
    one.certain ? [h("span", { class: "course-sign", "aria-hidden": "true" }, "⚠ "),
      h("strong", {}, "You were certain: ")] : "",
    rich(one.what), " → ", notebookLink(one, one.section ? `${one.lesson}, ${one.section}` : one.lesson))));
}

// The objectives lie open where the learner goes on.
function lessonRow({ lesson, done, total, begun, goals }, place) {
  const complete = total > 0 && done === total;
  return h("li", {},
    h("span", {}, h("strong", {}, lesson), " ",
      h("span", { class: "course-quiet" }, complete ? "✔ done" : begun ? "◐ begun" : "○ not begun")),
    h("span", { class: "course-number" }, `${done} of ${total}`),
    h("span", { class: "course-track", "aria-hidden": "true" },
      done ? h("span", { class: "course-bar", style: { width: `${100 * done / total}%` } }) : ""),
    goals.length ? h("details", { class: "course-again", open: begun && place?.lesson === lesson },
      h("summary", {}, "By objective", h("span", { class: "course-hidden" }, ` in ${lesson}`)),
      h("ul", {}, goals.map(goalRow))) : "");
}

function goalRow({ text, done, total }) {
  return h("li", { style: { margin: "0.15rem 0" } },
    h("span", {}, done === total ? "✔ " : "", rich(text)),
    h("span", { class: "course-number" }, `${done} of ${total}`));
}

// A link to a notebook, as seen from this one's folder, at a heading if there is one. JupyterLab opens it in a tab by its own
// command, read from the link's data at the click; elsewhere it is an ordinary link.
function notebookLink({ notebook, heading }, label) {
  const aim = (event) => {
    const [, here] = location.pathname.split("/tree/");
    if (here === undefined) return;
    const path = decodeURIComponent(new URL(notebook, `file:///${here}`).pathname.slice(1));
    event.currentTarget.dataset.commandlinkerCommand = "docmanager:open";
    event.currentTarget.dataset.commandlinkerArgs = JSON.stringify({ path });
    if (heading) scrollTo(path.split("/").pop(), heading.slice(1), Date.now() + 15000);
  };
  return h("a", { href: notebook + heading, onclick: aim }, label);
}

// Waits, no longer than `until`, for a notebook to be drawn: JupyterLab's own command looks for a heading too early.
function scrollTo(notebook, heading, until) {
  const tab = (panel) => document.querySelector(`[data-id="${panel.id}"] .lm-TabBar-tabLabel`)?.textContent;
  const visible = [...document.querySelectorAll(".jp-NotebookPanel:not(.lm-mod-hidden)")];
  const target = visible.find((panel) => tab(panel) === notebook)
    ?.querySelector(`[data-jupyter-id="${CSS.escape(heading)}"]`);
  if (target?.offsetParent) target.scrollIntoView();
  else if (Date.now() < until) setTimeout(scrollTo, 200, notebook, heading, until);
}

export default { render };
