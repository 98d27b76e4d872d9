// The three switches of each layer group as a table. Where there is little room, each row becomes a card,
// so roles are given in full: a browser drops them when a table is not laid out as one.

const COLUMNS = ["Layer group", "Parameters", "1 Gradients", "2 Mode", "3 Optimizer", "BatchNorm"];

function render({ model, el }) {
  const summary = live();
  const body = h("tbody", { role: "rowgroup" });
  const cell = (column, { words, state }, share) => h(column ? "td" : "th",
    { role: column ? "cell" : "rowheader", scope: column ? null : "row", "data-state": state,
      "data-column": COLUMNS[column] },
    state ? h("span", { class: "course-state" }, words) : words,
    column === 1 ? h("span", { class: "course-track", "aria-hidden": "true" },
      h("span", { class: "course-bar", style: { width: `${100 * share}%` } })) : "");
  const row = ({ cells, share }) => h("tr", { role: "row", "data-learning": cells[2].state },
    cells.map((one, column) => cell(column, one, share)));

  frame(el, "map", "The three switches of freezing, for each layer group",
    h("table", { role: "table" },
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" },
        COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name)))),
      body),
    snapshotFooter(model, summary));

  const draw = () => {
    body.replaceChildren(...model.get("table").map(row));
    drawSummary(model, summary, "");
  };
  model.on("change:table change:notes change:taken", draw);
  draw();
}

export default { render };
