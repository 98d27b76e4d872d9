// One question: native radio buttons, a Check button, and a live region for the verdict.

function render({ model, el }) {
  const group = `course-${Math.random().toString(36).slice(2)}`;
  const status = live();
  const choices = model.get("options").map((option) => {
    const radio = h("input", { type: "radio", name: group, value: option.id });
    radio.checked = option.id === model.get("chosen");
    return { radio, row: h("label", { class: "course-option" }, radio, h("span", {}, rich(option.text))) };
  });

  const say = (words) => status.replaceChildren(words);
  const draw = () => {
    const verdict = model.get("verdict");
    if (!verdict) return;
    const earlier = model.get("earlier");
    status.replaceChildren(...(earlier ? [h("p", { class: "course-quiet" }, rich(earlier))] : []),
      verdictNodes(verdict));
  };
  const send = sender(model, say, draw);
  const check = () => {
    const chosen = choices.find(({ radio }) => radio.checked);
    if (!chosen) say("Choose one of the answers first.");
    else send({ do: "answer", option: chosen.radio.value }, "Checking …");
  };

  frame(el, "quiz", "Quick check",
    h("fieldset", {},
      h("legend", {}, h("span", { class: "course-kind" }, "Quick check"), h("span", {}, rich(model.get("prompt")))),
      choices.map(({ row }) => row)),
    h("div", { class: "course-buttons" }, h("button", { type: "button", class: "course-primary", onclick: check }, "Check")),
    status);
  draw();
}

export default { render };
