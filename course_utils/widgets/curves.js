// Losses and accuracy by epoch. Lines differ in dash, marker and label, not in colour alone.

const WIDTH = 360, HEIGHT = 220, LEFT = 44, RIGHT = 12, TOP = 34, BOTTOM = 30;
const MARKERS = {
  circle: (x, y) => svg("circle", { cx: x, cy: y, r: 3.5 }),
  square: (x, y) => svg("rect", { x: x - 3.2, y: y - 3.2, width: 6.4, height: 6.4 }),
  triangle: (x, y) => svg("path", { d: `M${x},${y - 4.5} l4.5,8 h-9 z` }),
};
const TRAIN = { key: "train_loss", name: "training", line: "train", marker: "circle" };
const VAL = { key: "val_loss", name: "validation", line: "val", marker: "square" };
const ACCURACY = { key: "val_accuracy", name: "validation", line: "accuracy", marker: "triangle" };
const STATES = {
  waiting: "Waiting for the first epoch.", running: "", done: "", stopping: "Stopping after this epoch.",
  stopped: "Stopped, as you asked.",
};

// A round number for the top of an axis, at or above `value`.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((top) => top >= value * 0.999);
}

function chart(title, series, epochs, planned, top, label) {
  const first = epochs.length ? epochs[0].epoch : 1;
  const last = Math.max(first + 1, first + (planned ?? 0) - 1, ...epochs.map((e) => e.epoch));
  const x = (epoch) => LEFT + (epoch - first) / (last - first) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);
  const ticks = [0, top / 2, top].map((value) => [
    svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, label(value))]);
  const step = Math.max(1, Math.ceil((last - first) / 8));
  const numbers = [];
  for (let epoch = first; epoch <= last; epoch += step) {
    numbers.push(svg("text", { x: x(epoch), y: HEIGHT - 12, "text-anchor": "middle" }, epoch));
  }
  const lines = series.map(({ key, line, marker }) => {
    const points = epochs.filter((e) => e[key] !== null).map((e) => [x(e.epoch), y(e[key])]);
    return svg("g", { class: line }, svg("polyline", { points: points.join(" ") }),
      points.map((point) => MARKERS[marker](...point)));
  });
  const legend = series.map(({ name, line, marker }, i) => svg("g", { class: line },
    svg("polyline", { points: `${150 + 105 * i},13 ${178 + 105 * i},13` }), MARKERS[marker](164 + 105 * i, 13),
    svg("text", { x: 184 + 105 * i, y: 17 }, name)));
  const words = series.map(({ key, name }) => {
    const end = epochs.at(-1)?.[key];
    return `${name} ${end === undefined ? "not there yet" : end === null ? "no number" : label(end)}`;
  });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}: ${words.join(", ")}` },
    svg("text", { class: "title", x: LEFT - 6, y: 17 }, title), ticks, numbers, lines, legend);
}

function table(epochs) {
  const number = (value, form) => (value === null ? "no number" : form(value));
  const rows = epochs.map((e) => h("tr", {}, h("th", { scope: "row" }, String(e.epoch)),
    [number(e.train_loss, loss), number(e.val_loss, loss), number(e.val_accuracy, percent)].map((text) => h("td", {}, text))));
  return h("table", {}, h("thead", {}, h("tr", {}, ["Epoch", "Training loss", "Validation loss", "Validation accuracy"]
    .map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows));
}

const loss = (value) => value.toFixed(3);
const percent = (value) => `${(100 * value).toFixed(1)}%`;
const tick = (value) => String(Number(value.toPrecision(3)));

function render({ model, el }) {
  const charts = h("div", { class: "course-charts" });
  const numbers = h("details", {}, h("summary", {}, "Numbers"));
  const status = live();
  const asked = h("span", { role: "status" });
  const stop = h("button", { type: "button", onclick: () => pressStop() }, "Stop");

  const idle = () => ["done", "stopped", "stopping"].includes(model.get("state"));
  const send = sender(model, (words) => asked.replaceChildren(words), () => {},
    "This front end cannot reach the kernel while a cell runs: use the kernel's interrupt button (■) instead.");
  const pressStop = () => { if (!idle()) send({ do: "stop" }, "Asking …"); };

  const draw = () => {
    const epochs = model.get("epochs"), planned = model.get("planned");
    const highest = Math.max(0, ...epochs.flatMap((e) => [e.train_loss ?? 0, e.val_loss ?? 0]));
    charts.replaceChildren(
      chart("Loss", [TRAIN, VAL], epochs, planned, roundUp(highest || 1), tick),
      chart("Accuracy", [ACCURACY], epochs, planned, 1, (share) => `${Math.round(100 * share)}%`));
    numbers.lastChild.localName === "table" ? numbers.lastChild.replaceWith(table(epochs)) : numbers.append(table(epochs));
    const end = epochs.at(-1);
    const done = planned ? `${epochs.length} of ${planned} epochs` : `${epochs.length} epochs`;
    const accuracy = end?.val_accuracy == null ? "" : ` · validation accuracy ${percent(end.val_accuracy)}`;
    status.replaceChildren(h("p", {},
      end ? [h("strong", {}, done), ` · ${end.elapsed.toFixed(0)} s${accuracy} `] : "", STATES[model.get("state")]));
    numbers.hidden = !end;
    stop.setAttribute("aria-disabled", String(idle()));     // keeps the focus, unlike `disabled`
  };

  frame(el, "curves", model.get("title") || "Training curves",
    h("p", {}, h("strong", {}, model.get("title"))), charts, status,
    h("div", { class: "course-buttons" }, stop, asked), numbers);
  model.on("change:epochs change:state", draw);
  draw();
}

export default { render };
