// A prediction beside what came out.

function render({ model, el }) {
  const predicted = model.get("predicted");
  const side = (name, words) => h("div", {}, h("dt", { class: "course-quiet" }, name), h("dd", {}, rich(words)));
  const verdict = model.get("verdict");
  frame(el, "result", "Prediction and result",
    h("p", {}, h("span", { class: "course-kind" }, "Predicted, then run "), h("span", {}, rich(model.get("prompt")))),
    h("dl", { class: "course-sides" }, side("You predicted", predicted || "nothing"), side("It came out", model.get("found"))),
    predicted ? verdictNodes(verdict) : h("p", {}, rich(verdict.message)));
}

export default { render };
