// A model from picture to classes: boxes in a row, below each other where there is little room.

const NARROW = 620;     // pixels: below this, lists of layer groups are folded

function render({ model, el }) {
  const summary = live();
  const chain = h("ol", { class: "course-chain" });
  const root = frame(el, "flow", "The model as it is now", chain, snapshotFooter(model, summary));

  const point = (title, detail) => h("li", { class: "course-point" }, h("strong", {}, title), detail ? h("span", {}, detail) : "");
  const box = (item) => h("li", { class: "course-box", "data-learning": item.learning },
    h("strong", {}, item.title), h("span", { class: "course-quiet" }, `${item.count} parameters`),
    h("p", {}, h("span", { class: "course-state" }, item.state), " ", h("span", { class: "course-state" }, `${item.mode} mode`)),
    item.groups.length ? h("details", {}, h("summary", {}, item.size),
      h("ul", {}, item.groups.map((group) => h("li", {}, group.name, h("span", {}, group.count))))) : "",
    item.warnings.map(warning));

  const draw = () => {
    const ends = model.get("ends");
    const boxes = model.get("boxes").flatMap((item) =>
      (item.head && ends.features ? [point(ends.features, "of each picture"), box(item)] : [box(item)]));
    chain.replaceChildren(point("Picture", ends.input), ...boxes, point(ends.output, shorten(ends.classes)));
    fold();
    drawSummary(model, summary, ends.weights);
  };
  const fold = () => chain.querySelectorAll("details").forEach((list) => { list.open = root.clientWidth >= NARROW; });

  let wasNarrow = null;
  const watch = new ResizeObserver(() => {
    const narrow = root.clientWidth < NARROW;
    if (narrow !== wasNarrow) fold();
    wasNarrow = narrow;
  });
  watch.observe(root);
  model.on("change:boxes change:notes change:taken", draw);
  draw();
  return () => watch.disconnect();
}

function shorten(text) {
  return text.length > 60 ? "" : text;
}

export default { render };
