// Progress by lesson, and a link to go on.

function render({ model, el }) {
  const place = model.get("place");
  const lesson = ({ number, title, done, total, again }) => h("li", {},
    h("span", {}, h("strong", {}, `${number} · ${title}`), " ",
      h("span", { class: "course-quiet" }, done === total ? "✔ done" : done || again.length ? "◐ begun" : "○ not begun")),
    h("span", { class: "course-number" }, `${done} of ${total}`),
    h("span", { class: "course-track", "aria-hidden": "true" },
      done ? h("span", { class: "course-bar", style: { width: `${100 * done / total}%` } }) : ""),
    again.map((text) => h("span", { class: "course-again" }, `↻ Look again: ${text}`)));

  frame(el, "progress", "Your progress",
    place ? h("p", {}, h("span", { class: "course-kind" }, "Continue"), h("br"),
      notebookLink(place.notebook, place.lesson), " with ", rich(place.what)) : "",
    model.get("notice") ? h("p", {}, model.get("notice")) : "",
    h("ol", { class: "course-bars" }, model.get("lessons").map(lesson)));
}

// A link to a notebook in the same folder. JupyterLab opens it in a tab by its own command, read from the
// link's data at the click; elsewhere it is an ordinary link.
function notebookLink(file, label) {
  const aim = (event) => {
    const [, path] = decodeURIComponent(location.pathname).split("/tree/");
    if (path === undefined) return;
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    event.currentTarget.dataset.commandlinkerCommand = "docmanager:open";
    event.currentTarget.dataset.commandlinkerArgs = JSON.stringify({ path: folder + file });
  };
  return h("a", { href: file, onclick: aim }, label);
}

export default { render };
