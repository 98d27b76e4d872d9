// Losses and accuracy by epoch, and a mark where layers began to learn. Lines differ in dash, marker and label.

const WIDEST = 512, HEIGHT = 200, LEFT = 44, RIGHT = 12, TOP = 12, BOTTOM = 30;      // pixels
const LOSSES = [["train_loss", "training", 0], ["val_loss", "validation", 1]];      // key, name, which line of a chart
const ACCURACY = [["val_accuracy", "validation", 2]];
const STATES = {
  waiting: "Waiting for the first epoch.", running: "", done: "", stopping: "Stopping after this epoch.",
  stopped: "Stopped, as you asked.",
};
const HEADS = ["Epoch", "Training loss", "Validation loss", "Validation accuracy", "Began to learn"];

// A round number for the top of an axis, at or above `value`.
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((top) => top >= value * 0.999);
}

// The axes are still while training runs: all planned epochs, and from 0.
function curve(title, series, model, top, label, width) {
  const epochs = model.get("epochs"), planned = model.get("planned");
  const first = epochs.length ? epochs[0].epoch : 1;
  const last = Math.max(first + 1, first + (planned ?? 0) - 1, ...epochs.map((e) => e.epoch));
  const x = { at: (epoch) => LEFT + (epoch - first) / (last - first) * (width - LEFT - RIGHT) };
  const y = { at: (value) => HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM) };
  const ticks = [0, top / 2, top].map((value) => [
    svg("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y.at(value), y2: y.at(value) }),
    svg("text", { x: LEFT - 6, y: y.at(value) + 4, "text-anchor": "end" }, label(value))]);
  const step = Math.max(1, Math.ceil(28 * (last - first) / (width - LEFT - RIGHT)));
  for (let epoch = first; epoch <= last; epoch += step) {
    ticks.push(svg("text", { x: x.at(epoch), y: HEIGHT - 12, "text-anchor": "middle" }, epoch));
  }
  const unfrozen = epochs.filter((e) => e.unfrozen);
  const marks = unfrozen.map((e, i) => {      // half an epoch before the point: what it measures came after
    const at = Math.max(LEFT, x.at(e.epoch - 0.5)), late = at > width / 2;
    return [svg("line", { class: "mark", x1: at, x2: at, y1: TOP, y2: HEIGHT - BOTTOM }),
      svg("text", { class: "marked", x: at + (late ? -4 : 4), y: TOP + 10 + 13 * (i % 3), "text-anchor": late ? "end" : "start" },
        `✎ ${e.unfrozen}`)];
  });
  const drawn = series.map(([key, , line]) => drawLine({ joined: true, band: [],
    points: epochs.filter((e) => e[key] !== null).map((e) => [e.epoch, e[key]]) }, line, x, y));
  const words = series.map(([key, name]) => {
    const end = epochs.at(-1)?.[key];
    return `${name} ${end === undefined ? "not there yet" : end === null ? "no number" : label(end)}`;
  });
  words.push(...unfrozen.map((e) => `from epoch ${e.epoch} on ${e.unfrozen} learns`));
  return svg("svg", { width, height: HEIGHT, role: "img", "aria-label": `${title}: ${words.join(", ")}` }, ticks, marks, drawn);
}

// The place of one chart, with its title and what its lines are.
function framed(title, series, place) {
  return h("figure", {}, h("figcaption", {}, title),
    h("ul", { class: "course-legend" }, series.map(([, name, line]) => legendItem(name, line))), place);
}

function numberTable(epochs) {
  const said = (value, form) => (value === null ? "no number" : form(value));
  const columns = epochs.some((e) => e.unfrozen) ? HEADS : HEADS.slice(0, 4);
  return drawTable({ title: "By epoch", columns, marked: [], rows: epochs.map((e) => [e.epoch, said(e.train_loss, loss), said(e.val_loss, loss),
    said(e.val_accuracy, share), e.unfrozen && `✎ ${e.unfrozen}`].slice(0, columns.length)) });
}

const loss = (value) => value.toFixed(3);
const tick = (value) => String(Number(value.toPrecision(3)));

function render({ model, el }) {
  const table = h("div", {});
  const numbers = h("details", {}, h("summary", {}, "Numbers"), table);
  const status = live();
  const asked = h("span", { role: "status" });
  const stop = h("button", { type: "button", onclick: () => pressStop() }, "Stop");

  const idle = () => ["done", "stopped", "stopping"].includes(model.get("state"));
  const send = sender(model, (words) => asked.replaceChildren(words), () => {},
    "This front end cannot reach the kernel while a cell runs: use the kernel's interrupt button (■) instead.");
  const pressStop = () => { if (!idle()) send({ do: "stop" }, "Asking …"); };

  const highest = () => Math.max(0, ...model.get("epochs").flatMap((e) => [e.train_loss ?? 0, e.val_loss ?? 0])) || 1;
  const losses = fitted(WIDEST, (width) => curve("Loss", LOSSES, model, roundUp(highest()), tick, width));
  const accuracy = fitted(WIDEST, (width) => curve("Accuracy", ACCURACY, model, 1, (value) => `${Math.round(100 * value)}%`, width));

  const draw = () => {
    const epochs = model.get("epochs"), planned = model.get("planned");
    [losses, accuracy].forEach((chart) => chart.redraw());
    swap(table, numberTable(epochs));
    const end = epochs.at(-1);
    const done = planned ? `${epochs.length} of ${planned} epochs` : `${epochs.length} epochs`;
    const reached = end?.val_accuracy == null ? "" : ` · validation accuracy ${share(end.val_accuracy)}`;
    status.replaceChildren(h("p", {},
      end ? [h("strong", {}, done), ` · ${end.elapsed.toFixed(0)} s${reached} `] : "", STATES[model.get("state")]));
    numbers.hidden = !end;
    stop.setAttribute("aria-disabled", String(idle()));     // keeps the focus, unlike `disabled`
  };

  frame(el, "curves", model.get("title") || "Training curves",
    h("p", {}, h("strong", {}, model.get("title"))), h("div", { class: "course-charts" },
      framed("Loss", LOSSES, losses.place), framed("Accuracy", ACCURACY, accuracy.place)), status,
    h("div", { class: "course-buttons" }, stop, asked), numbers);
  model.on("change:epochs change:state", draw);
  draw();
}

export default { render };
