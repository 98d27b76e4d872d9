// What the accessibility tests ask of a page that axe does not look at. Each gives a list of what is wrong, as markup.
(() => {
  const markup = (nodes) => nodes.map((node) => node.outerHTML.slice(0, 120));
  const seen = (panel, selector) => [...panel.querySelectorAll(selector)].filter((node) => node.checkVisibility());
  const words = (node) => [...node.childNodes].filter((child) => child.nodeType === 3 && child.data.trim()).map((text) => {
    const range = document.createRange();
    range.selectNode(text);
    return range;
  });
  const scrolls = (node) => node.scrollWidth > node.clientWidth && /auto|scroll/.test(getComputedStyle(node).overflowX);

  // What stands out of the panel or the window to the right, itself or its words, unless it lies in something that
  // scrolls by keyboard; and what scrolls, but not by keyboard.
  function cutOff(panel) {
    const edge = Math.min(panel.getBoundingClientRect().right, innerWidth) + 0.5;
    const excused = (node) => node !== panel && (getComputedStyle(node).clipPath !== "none"
      || (scrolls(node) && node.tabIndex === 0) || excused(node.parentElement));
    const wide = (node) => [node, ...words(node)].some((part) => part.getBoundingClientRect().right > edge);
    return markup([panel, ...seen(panel, "*")].filter((node) => !excused(node) && (scrolls(node) || wide(node))));
  }

  // Words, in drawings too, and signs with a contrast below 4.5 to what is behind them. axe leaves many undecided.
  function faint(panel) {
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);       // 0 … 255, then opacity 0 … 1
    const behind = (node) => {
      const colour = getComputedStyle(node).backgroundColor;
      return channels(colour)[3] === 0 ? behind(node.parentElement) : channels(colour);
    };
    const light = (rgb) => rgb.slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
    const contrast = (node) => {
      const paper = behind(node), { fill, color } = getComputedStyle(node);
      const [red, green, blue, opacity = 1] = channels(node.localName === "text" ? fill : color);
      const ink = [red, green, blue].map((value, i) => value * opacity + paper[i] * (1 - opacity));
      const [dark, bright] = [light(ink), light(paper)].sort((a, b) => a - b);
      return (bright + 0.05) / (dark + 0.05);
    };
    return markup([panel, ...seen(panel, "*")].filter((node) => words(node).length && contrast(node) < 4.5));
  }

  // Fields without a label. The first field in a label gets its words, and an output counts as one.
  function nameless(panel) {
    return markup(seen(panel, "input, select, textarea").filter((node) => !node.labels.length && !node.ariaLabel));
  }

  // Controls under 24 pixels. A tick is pressed by its label, too.
  function tooSmall(panel) {
    const target = (node) => (/radio|checkbox/.test(node.type) ? node.labels[0] : node);
    return markup(seen(panel, "button, summary, input, select, textarea")
      .filter((node) => Math.min(target(node).offsetWidth, target(node).offsetHeight) < 24));
  }

  // Writing in drawings under 9 pixels, as drawn.
  function tooFine(panel) {
    return markup(seen(panel, "svg text")
      .filter((text) => {
        const { a, b } = text.getScreenCTM();       // b: where it is turned
        return Math.hypot(a, b) * parseFloat(getComputedStyle(text).fontSize) < 9;
      }));
  }

  function moving(panel) {
    return markup([panel, ...panel.querySelectorAll("*")].filter((node) => {
      const { animationName, transitionDuration, scrollBehavior } = getComputedStyle(node);
      return animationName !== "none" || /[1-9]/.test(transitionDuration) || scrollBehavior === "smooth";
    }));
  }

  // The pixels of the ring around what has the focus; null where that is none of ours, or was asked about before.
  function ring() {
    const node = document.activeElement;
    if (!node.closest(".course") || node.dataset.reached) return null;
    node.dataset.reached = "yes";
    const { outlineStyle, outlineWidth } = getComputedStyle(node);
    return outlineStyle === "none" ? 0 : parseFloat(outlineWidth);
  }

  // Controls that `ring` never met. Of radio buttons one is enough: arrow keys reach the others.
  function unreached(panel) {
    const group = (node) => node.type === "radio" && panel.querySelector(`[name="${node.name}"][data-reached]`);
    return markup(seen(panel, "a, button, input, select, summary, textarea, [tabindex]")
      .filter((node) => !node.dataset.reached && !group(node)));
  }

  // Everything above in one place.
  function breakIt(panel) {
    const broken = document.createElement("div");
    broken.className = "broken";
    broken.innerHTML = `<button></button> <p style="color: #999; background: #bbb">grey on grey</p>
      <button style="all: unset; width: 9px; height: 9px">a</button><button style="all: unset; width: 9px">b</button>
      <p style="white-space: nowrap">${"a line that does not wrap ".repeat(60)}</p>
      <svg viewBox="0 0 100 10" width="50"><text y="8" style="font-size: 8px">fine print</text></svg>
      <label>Temperature: <output>4</output> <input style="width: 30px; height: 30px"></label>
      <p style="transition: color 1s">slow</p><button disabled>never reached</button>`;
    panel.append(broken);
  }

  // As it was before any of this.
  function mend() {
    document.querySelectorAll(".broken").forEach((node) => node.remove());
    document.querySelectorAll("[data-reached]").forEach((node) => delete node.dataset.reached);
  }

  window.probes = { cutOff, faint, nameless, tooSmall, tooFine, moving, ring, unreached, breakIt, mend };
})();
