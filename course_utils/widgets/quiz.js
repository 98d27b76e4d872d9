// One question of any kind: native controls, a Check button, and a live region for the verdict. Each kind below
// gives its controls and a function that reads an answer from them, null where there is none yet.

const unique = () => `course-${Math.random().toString(36).slice(2)}`;

function ticks(type, choices, chosen) {
  const group = unique();
  const rows = choices.map((choice) => {
    const box = h("input", { type, name: group, value: choice.id });
    box.checked = chosen.includes(choice.id);
    return { box, row: h("label", { class: "course-option" }, box, h("span", {}, rich(choice.text))) };
  });
  const ticked = () => rows.filter(({ box }) => box.checked).map(({ box }) => box.value);
  return { controls: rows.map(({ row }) => row), ticked };
}

function oneOf(model) {
  const { controls, ticked } = ticks("radio", model.get("asked").options, [model.get("given")]);
  return { controls, read: () => ticked()[0] ?? null, ask: "Choose one of the answers first." };
}

function someOf(model) {
  const { controls, ticked } = ticks("checkbox", model.get("asked").options, model.get("given").split(" "));
  const read = () => (ticked().length ? ticked() : null);
  return { controls: [h("p", { class: "course-quiet" }, "Choose all that apply."), controls], read,
    ask: "Choose at least one of the answers first." };
}

function inOrder(model) {
  const { steps } = model.get("asked");
  const given = model.get("given").split(" ");
  let order = given.length === steps.length ? given.map((id) => steps.find((step) => step.id === id)) : [...steps];
  let touched = given.length === steps.length;
  const list = h("ol", { class: "course-steps" });
  const heard = h("span", { role: "status", class: "course-hidden" });
  const rows = new Map(steps.map((step) => [step.id, row(step)]));

  function row(step) {
    const arrow = (by, sign, word) => h("button", { type: "button", "aria-label": `Move ${word}: ${step.text}`,
      onclick: (event) => move(step, by, event.currentTarget) }, sign);
    return h("li", {}, h("span", { class: "course-arrows" }, arrow(-1, "▲", "up"), arrow(1, "▼", "down")),
      h("span", {}, rich(step.text)));
  }
  function move(step, by, button) {
    const from = order.indexOf(step);
    const to = from + by;
    touched = true;
    if (to < 0 || to >= order.length) return heard.replaceChildren(`${step.text}: already ${to < 0 ? "first" : "last"}`);
    [order[from], order[to]] = [order[to], order[from]];
    draw();
    button.focus();
    heard.replaceChildren(`${step.text}: ${to + 1} of ${order.length}`);
  }
  const draw = () => list.replaceChildren(...order.map((step) => rows.get(step.id)));
  draw();
  return { controls: [list, heard], read: () => (touched ? order.map((step) => step.id) : null),
    ask: "Move the steps into their order first." };
}

function line(label, given, options = {}) {
  const field = h("input", { type: "text", autocomplete: "off", spellcheck: "false", ...options });
  field.value = given;
  const controls = h("label", { class: "course-line" }, h("span", {}, label), field);
  return { controls, read: () => field.value.trim() || null, field };
}

function number(model) {
  const { unit } = model.get("asked");
  return { ...line(unit ? `Your number, in ${unit}` : "Your number", model.get("given"), { inputmode: "decimal" }),
    ask: "Type a number first." };
}

function words(model) {
  return { ...line("Your answer", ""), ask: "Type a word or two first." };
}

function sentences(model) {
  const field = h("textarea", { rows: "4" });
  const below = h("div", {});
  let rubric = null;
  const draw = () => {
    const { model_answer: answer, rubric: points } = model.get("after");
    if (!answer || rubric) return;
    rubric = ticks("checkbox", points, []);
    below.replaceChildren(h("p", {}, h("strong", {}, "One good answer: "), rich(answer)),
      h("fieldset", {}, h("legend", {}, "Which of these are in yours?"), rubric.controls));
  };
  model.on("change:after", draw);
  draw();
  return { controls: [h("label", { class: "course-line" }, h("span", {}, "Your answer"), field), below],
    read: () => (field.value.trim() ? { text: field.value, met: rubric ? rubric.ticked() : null } : null),
    ask: "Write a sentence or two first." };
}

const KINDS = { single: oneOf, multiple: someOf, ordering: inOrder, numeric: number, text: words,
  reflect: sentences };

function howSure(model) {
  const levels = model.get("asked").confidence;
  if (!levels) return { controls: "", read: () => "" };
  const { controls, ticked } = ticks("radio", levels.map((level) => ({ id: level, text: level })), []);
  return { controls: h("fieldset", { class: "course-sure" }, h("legend", {}, "How sure are you?"), controls),
    read: () => ticked()[0] ?? "" };
}

function render({ model, el }) {
  const status = live();
  const answer = KINDS[model.get("kind")](model);
  const sure = howSure(model);
  const say = (words) => status.replaceChildren(words);
  const draw = () => {
    const verdict = model.get("verdict");
    const earlier = model.get("earlier");
    status.replaceChildren(...(earlier ? [h("p", { class: "course-quiet" }, rich(earlier))] : []),
      ...(verdict ? [verdictNodes(verdict)] : []));
  };
  const send = sender(model, say, draw);
  const check = () => {
    const response = answer.read();
    if (response === null) say(answer.ask);
    else send({ do: "answer", response, confidence: sure.read() }, "Checking …");
  };
  if (answer.field) answer.field.addEventListener("keydown", (event) => { if (event.key === "Enter") check(); });

  frame(el, "quiz", "Quick check",
    h("fieldset", {},
      h("legend", {}, h("span", { class: "course-kind" }, "Quick check"), h("span", {}, rich(model.get("prompt")))),
      answer.controls, sure.controls),
    h("div", { class: "course-buttons" }, h("button", { type: "button", class: "course-primary", onclick: check }, "Check")),
    status);
  draw();
}

export default { render };
