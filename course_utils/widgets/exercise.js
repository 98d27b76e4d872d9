// The panel below an answer: verdict, hints, solution.

function render({ model, el }) {
  const verdict = live();
  const notice = live();
  const hints = h("ol", { class: "course-hints", "aria-live": "polite" });
  const code = h("div", {});
  const earlier = h("span", {});
  const note = h("span", {});
  const hintButton = h("button", { type: "button", onclick: () => nextHint() });

  const say = (words) => notice.replaceChildren(...rich(words));
  const send = sender(model, say, () => say(model.get("notice")));
  const button = (action, label, words) =>
    h("button", { type: "button", onclick: () => send({ do: action }, words) }, label);
  const hintsLeft = () => model.get("hints").length < model.get("hints_total");
  const nextHint = () => (hintsLeft() ? send({ do: "hint" }, "") : say("You have seen every hint."));

  const seen = h("div", {});
  const drawVerdict = () => {
    swap(verdict, verdictNodes(model.get("verdict")));
    drawExhibits(seen, model.get("verdict").exhibits);
  };
  const drawHelp = () => {
    const shown = model.get("hints"), total = model.get("hints_total");
    while (hints.children.length > shown.length) hints.lastChild.remove();
    shown.slice(hints.children.length).forEach((text) => hints.append(      // only what is new is read out
      h("li", {}, h("strong", {}, `Hint ${hints.children.length + 1} of ${total}`), h("span", {}, rich(text)))));
    hintButton.textContent = hintsLeft() ? `Hint ${shown.length + 1} of ${total}` : "No more hints";
    hintButton.setAttribute("aria-disabled", String(!hintsLeft()));   // keeps the focus, unlike `disabled`
    earlier.textContent = model.get("earlier");
    note.textContent = model.get("solution_note");
    const block = model.get("code");
    code.replaceChildren(...(block ? [h("p", {}, h("strong", {}, block.title)), h("pre", {}, block.source)] : []));
  };

  frame(el, "exercise", `Exercise: ${model.get("title")}`,
    h("div", { class: "course-head" }, h("span", { class: "course-kind" }, "Exercise"), h("strong", {}, model.get("title")),
      h("span", { class: "course-quiet" }, model.get("facts")), h("span", { class: "course-quiet" }, earlier)),
    verdict, seen, hints,
    h("div", { class: "course-buttons" },
      button("check", "Check again", "Checking …"), hintButton,
      button("solution", "Solution", ""), button("reset", "Start over", "")),
    notice,
    h("p", { class: "course-quiet" }, note, model.get("see") ? [" Read again: ", headingLink(model.get("see"))] : ""),
    code);

  model.on("change:verdict", drawVerdict);
  model.on("change:hints change:earlier change:solution_note change:code", drawHelp);
  drawVerdict();
  drawHelp();
  say(model.get("notice"));
}

export default { render };
