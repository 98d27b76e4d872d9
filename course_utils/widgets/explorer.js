// Native controls over something that Python computes, and what comes of it below.

function render({ model, el }) {
  const controls = h("div", { class: "course-controls" });
  const view = h("div", { class: "course-view" });
  const status = live();
  const say = (words) => status.replaceChildren(words);
  const send = sender(model, say, () => say(""));
  const set = (name, value) => send({ do: "set", name, value }, "Computing …");

  const control = (item) => {
    const change = (value) => set(item.name, value);
    if (item.kind === "slider") {
      const output = h("strong", {}, item.texts[item.value]);       // an <output> would take the label for itself
      const input = h("input", { type: "range", min: 0, max: item.texts.length - 1, value: item.value, "aria-valuetext": item.texts[item.value],
        oninput: () => { output.textContent = item.texts[input.value]; input.setAttribute("aria-valuetext", item.texts[input.value]); },
        onchange: () => change(Number(input.value)) });
      return h("label", {}, h("span", {}, item.label, ": ", output), input);
    }
    if (item.kind === "choice") {
      return h("label", {}, h("span", {}, item.label), h("select", {
        onchange: (event) => change(event.target.selectedIndex) },
      item.texts.map((text, i) => h("option", { selected: i === item.value }, text))));
    }
    if (item.kind === "switch") {
      return h("label", { class: "course-option" },
        h("input", { type: "checkbox", checked: item.value, onchange: (event) => change(event.target.checked) }), item.label);
    }
    if (item.kind === "upload") {
      const input = h("input", { type: "file", accept: "image/*", onchange: async (event) => {
        const [file] = event.target.files;
        if (file) send({ do: "upload", name: item.name }, "Opening …", [await file.arrayBuffer()]);
      } });
      return [h("label", {}, h("span", {}, item.label), input),
        item.there ? h("button", { type: "button", onclick: () => change(null) }, "Put your picture away") : []];
    }
    return h("label", {}, h("span", {}, item.label),
      h("input", { type: "text", value: item.value, onchange: (event) => change(event.target.value) }));
  };

  frame(el, "explorer", model.get("title"), h("p", {}, h("strong", {}, model.get("title"))),
    controls, status, view);
  const drawControls = () => swap(controls, ...model.get("controls").flatMap(control).flat());
  const draw = () => drawExhibits(view, model.get("view"));
  model.on("change:controls", drawControls);      // also where a value was set in Python
  model.on("change:view", draw);
  drawControls();
  draw();
}

export default { render };
