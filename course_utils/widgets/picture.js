// A picture beside horizontal bars; every bar has its label and its number as text.

function render({ model, el }) {
  const address = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
  const row = ({ label, share, percent }) => h("li", {},
    h("span", { class: "course-label" }, label),
    h("span", { class: "course-track", "aria-hidden": "true" },
      h("span", { class: "course-bar", style: { width: `${100 * share}%` } })),
    h("span", { class: "course-number" }, percent));

  frame(el, "predictions", "Predictions",
    h("img", { src: address, alt: model.get("alt") }),
    h("ol", { class: "course-bars" }, model.get("bars").map(row)));
  return () => URL.revokeObjectURL(address);
}

export default { render };
