// Draws exhibits: words, tables, bars, pictures, charts. Shared by the widgets that show them.

const EXHIBITS = {
  words: ({ said }) => h("p", {}, rich(said)),
  table: drawTable,
  code: drawCode,
  bars: ({ title, bars }) => h("figure", {}, h("figcaption", {}, title), barList(bars)),
  pictures: ({ title, pictures, width }) => h("figure", {}, h("figcaption", {}, title),
    h("div", { class: "course-row" }, pictures.map((picture) => h("figure", { style: { width: `${width}px` } },
      h("img", { src: pngAddress(picture.png), alt: picture.alt }), h("figcaption", { class: "course-quiet" }, picture.caption))))),
  chart: (found) => h("figure", {}, h("figcaption", {}, found.title), fitted(BOX.widest, (width) => drawChart(found, width)).place,
    legend(found.lines),
    h("details", {}, h("summary", {}, "Numbers"), chartTable(found))),
};

// Puts `exhibits` into `place`, over what stood there; a list of numbers that was open stays open.
function drawExhibits(place, exhibits) {
  const open = [...place.querySelectorAll("details")].map((details) => details.open);
  place.querySelectorAll("img").forEach((img) => URL.revokeObjectURL(img.src));
  swap(place, ...exhibits.map((exhibit) => EXHIBITS[exhibit.kind](exhibit)));
  place.querySelectorAll("details").forEach((details, i) => { details.open = Boolean(open[i]); });
}

function pngAddress(png) {
  return URL.createObjectURL(new Blob([png], { type: "image/png" }));
}

function barList(bars) {
  return h("ol", { class: "course-bars" }, bars.map(([label, share, number]) => h("li", {},
    h("span", { class: "course-label" }, label),
    h("span", { class: "course-track", "aria-hidden": "true" },
      h("span", { class: "course-bar", style: { width: `${100 * share}%` } })),
    h("span", { class: "course-number" }, number))));
}

function drawCode({ title, lines, lit }) {
  const line = (text, i) => h("li", { "data-marked": lit.includes(i) ? "true" : null },
    h("span", { class: "course-sign", "aria-hidden": "true" }, lit.includes(i) ? "▸" : " "),
    lit.includes(i) ? h("mark", {}, h("span", { class: "course-hidden" }, "lit: "), text) : h("span", {}, text || " "));
  return h("figure", {}, h("figcaption", {}, title), h("ol", { class: "course-listing course-scroll", tabindex: "0", "aria-label": title },
    lines.map(line)));
}

function drawTable({ title, columns, rows, marked, tree = [] }) {
  const row = (cells, i) => h("tr", { "data-marked": marked.includes(i) ? "true" : null, "data-kind": tree[i]?.[1] },
    h("th", { scope: "row", style: { "padding-left": `${tree[i]?.[0] ?? 0}em` } }, marked.includes(i) ? h("span", { class: "course-sign" }, "▸ ") : "", cells[0]),
    cells.slice(1).map((cell) => h("td", {}, String(cell))));
  return h("div", { class: "course-scroll", tabindex: "0", role: "group", "aria-label": title },
    h("table", {}, h("caption", {}, title),
      h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, rows.map(row))));
}

function chartTable({ title, x, y, lines, percent }) {
  return drawTable({ title, columns: ["Line", x, y], marked: [], rows: lines.flatMap((line) => line.points.map(
    ([at, value, name]) => [name ? `${line.name}: ${name}` : line.name, number(at), percent ? share(value) : number(value)])) });
}

const number = (value) => (Math.abs(value) >= 1e4 || (value && Math.abs(value) < 1e-3) ? Number(value.toPrecision(3)).toExponential().replace("e+", "e")
  : String(Number(value.toPrecision(4))));
const share = (value) => `${(100 * value).toFixed(1)}%`;

// Charts -------------------------------------------------------------------------------------------------------

const MARKERS = [
  (x, y) => svg("circle", { cx: x, cy: y, r: 3.5 }),
  (x, y) => svg("rect", { x: x - 3.2, y: y - 3.2, width: 6.4, height: 6.4 }),
  (x, y) => svg("path", { d: `M${x},${y - 4.5} l4.5,8 h-9 z` }),
  (x, y) => svg("path", { d: `M${x},${y - 4.8} l4.8,4.8 l-4.8,4.8 l-4.8,-4.8 z` }),
  (x, y) => svg("path", { d: `M${x - 4},${y + 3.5} l4,-8 l4,8 l-4,-2.5 z` }),
];
const BOX = { widest: 700, height: 300, left: 56, right: 16, top: 12, bottom: 40 };      // pixels

// An axis: where a value stands between `from` and `to`, and the round numbers to write at it.
function axis(values, log, from, to) {
  const shown = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  let low = Math.min(...shown), high = Math.max(...shown);
  if (!shown.length) { low = log ? 1 : 0; high = log ? 10 : 1; }
  if (low === high) { low = log ? low / 2 : low - 0.5; high = log ? high * 2 : high + 0.5; }
  const scale = log ? Math.log10 : (value) => value;
  const pad = 0.04 * (scale(high) - scale(low)), begin = scale(low) - pad, end = scale(high) + pad;
  const ticks = [], room = Math.max(2, Math.floor(Math.abs(to - from) / 50));      // for so many numbers
  if (log) {
    const skip = Math.ceil((end - begin) / room), factors = end - begin < 1.5 ? [1, 2, 5] : [1];
    for (let power = Math.floor(begin); power <= end; power += skip) ticks.push(...factors.map((f) => f * 10 ** power));
  } else {
    const rough = (end - begin) / Math.min(room, 6), power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 2.5, 5, 10].map((f) => f * power).find((f) => f >= rough);
    for (let i = Math.ceil(begin / step); i * step <= end; i += 1) ticks.push(Number((i * step).toPrecision(12)));
  }
  return { at: (value) => from + (scale(value) - begin) / (end - begin) * (to - from),
    ticks: ticks.filter((value) => scale(value) >= begin && scale(value) <= end) };
}

function drawChart(found, width) {
  const { height, left, right, top, bottom } = BOX;
  const points = found.lines.flatMap((line) => line.points), bands = found.lines.flatMap((line) => line.band);
  const x = axis([...points.map((p) => p[0]), ...bands.map((b) => b[0]), ...found.marks.map((m) => m[0])], found.log_x,
    left, width - right);
  const y = axis([...points.map((p) => p[1]), ...bands.flatMap((b) => b.slice(1)), ...found.levels.map((l) => l[0])],
    found.log_y, height - bottom, top);
  const label = found.percent ? (value) => `${Number((100 * value).toPrecision(3))}%` : number;
  const grid = [
    y.ticks.map((value) => [svg("line", { class: "grid", x1: left, x2: width - right, y1: y.at(value), y2: y.at(value) }),
      svg("text", { x: left - 6, y: y.at(value) + 4, "text-anchor": "end" }, label(value))]),
    x.ticks.map((value) => svg("text", { x: x.at(value), y: height - bottom + 16, "text-anchor": "middle" }, number(value))),
    svg("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, found.x),
    svg("text", { x: 12, y: (top + height - bottom) / 2, "text-anchor": "middle",
      transform: `rotate(-90 12 ${(top + height - bottom) / 2})` }, found.y)];
  const marks = found.marks.map(([value, words]) => [
    svg("line", { class: "mark", x1: x.at(value), x2: x.at(value), y1: top, y2: height - bottom }),
    x.at(value) > width / 2 ? svg("text", { x: x.at(value) - 4, y: top + 10, "text-anchor": "end" }, words)
      : svg("text", { x: x.at(value) + 4, y: top + 10 }, words)]);
  const levels = found.levels.map(([value, words]) => [
    svg("line", { class: "mark", x1: left, x2: width - right, y1: y.at(value), y2: y.at(value) }),
    svg("text", { x: width - right, y: y.at(value) - 4, "text-anchor": "end" }, words)]);
  const named = [], drawn = found.lines.map((line, i) => drawLine(line, i, x, y, named, width));
  const words = found.lines.map(({ name, points: of }) => (of.length ? `${name}, ${of.length} points from `
    + `${label(of[0][1])} to ${label(of.at(-1)[1])}` : `${name}, no points`));
  return svg("svg", { width, height, role: "img",
    "aria-label": `${found.title}. ${found.x} against ${found.y}: ${words.join("; ")}` }, grid, marks, levels, drawn);
}

function legend(lines) {
  return lines.length < 2 ? "" : h("ul", { class: "course-legend" },
    lines.map(({ name, joined }, i) => legendItem(name, i % 5, joined)));
}

function legendItem(name, line, joined = true) {
  return h("li", {}, svg("svg", { width: 34, height: 14, "aria-hidden": "true", class: `line-${line}` },
    joined ? svg("polyline", { points: "1,7 33,7" }) : "", MARKERS[line](17, 7)), name);
}

function drawLine({ points, joined, band }, i, x, y, named, width) {
  const at = ([left, value]) => `${x.at(left)},${y.at(value)}`;
  const edge = band.length ? svg("polygon", { class: "band",
    points: [...band.map(([l, low]) => at([l, low])), ...band.map(([l, , high]) => at([l, high])).reverse()].join(" ") }) : "";
  const few = points.length <= 40;
  return svg("g", { class: `line-${i % 5}` }, edge, joined ? svg("polyline", { points: points.map(at).join(" ") }) : "",
    points.map((point) => {
      if (joined && !few) return "";
      const marker = MARKERS[i % 5](x.at(point[0]), y.at(point[1]));
      if (!point[2]) return marker;
      marker.append(svg("title", {}, point[2]));
      return [marker, few ? pointName(point[2], x.at(point[0]), y.at(point[1]), named, width) : ""];
    }));
}

// A point's name beside it, where no other name stands; pointing at it and the list of numbers tell all of them.
function pointName(words, x, y, named, edge) {
  const width = 6.5 * words.length, left = x + 6 + width > edge ? x - 6 - width : x + 6;
  if (named.some((other) => Math.abs(other.y - y) < 12 && left < other.left + other.width && other.left < left + width)) return "";
  named.push({ left, width, y });
  return svg("text", { x: left < x ? x - 6 : left, y: y - 5, "text-anchor": left < x ? "end" : "start" }, words);
}
