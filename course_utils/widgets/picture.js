// A picture beside horizontal bars; every bar has its label and its number as text.

function render({ model, el }) {
  const address = pngAddress(model.get("png"));
  frame(el, "predictions", "Predictions", h("img", { src: address, alt: model.get("alt") }), barList(model.get("bars")));
  return () => URL.revokeObjectURL(address);
}

export default { render };
