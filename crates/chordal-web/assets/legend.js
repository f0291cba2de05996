// Shapes and patterns of states, and what the drawing's marks mean.

import { h, s } from "./dom.js";
import { stateWords } from "./words.js";

/** The patterns that one drawing refers to. */
export function patterns(prefix) {
  return s("defs", null,
    s("pattern", { id: `${prefix}-suspect`, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      s("rect", { class: "hatch-suspect", width: 7, height: 7 }),
      s("line", { class: "hatch-suspect-line", x1: 0, y1: 0, x2: 0, y2: 7 })),
    s("pattern", { id: `${prefix}-leaving`, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      s("rect", { class: "hatch-leaving", width: 6, height: 6 }),
      s("circle", { class: "hatch-leaving-dot", cx: 3, cy: 3, r: 1.6 })));
}

const SHAPES = {
  alive: () => [s("circle", { cx: 6, cy: 6, r: 5, fill: "currentColor" })],
  suspect: () => [
    s("circle", { cx: 6, cy: 6, r: 4.5, fill: "none", stroke: "currentColor", "stroke-width": 1.5, "stroke-dasharray": "2.5 1.8" }),
    s("path", { d: "M6 3v3.6M6 8.2v1", stroke: "currentColor", "stroke-width": 1.6 }),
  ],
  leaving: () => [s("path", { d: "M6 0.8L11.2 6L6 11.2L0.8 6Z", fill: "none", stroke: "currentColor", "stroke-width": 1.6 })],
  gone: () => [s("path", { d: "M2 2l8 8m0 -8l-8 8", stroke: "currentColor", "stroke-width": 2.2, fill: "none" })],
  left: () => [s("circle", { cx: 6, cy: 6, r: 4.5, fill: "none", stroke: "currentColor", "stroke-width": 1.5 })],
};

/** A node's state: shape, colour and words, or the one word for it. */
export function stateMark(state, word = stateWords(state)) {
  const shape = SHAPES[state] ?? SHAPES.left;
  return h("span", { class: "state", "data-state": state },
    s("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" }, shape()),
    word);
}

function sample(...shapes) {
  return s("svg", { viewBox: "0 0 22 12", "aria-hidden": "true" }, shapes);
}

/** What the marks of the drawing mean. */
export function legend(prefix = "legend") {
  const arc = (state, more = {}) => s("rect", { class: "arc", "data-state": state, x: 1, y: 1, width: 20, height: 10, ...more });
  const cross = s("path", { d: "M8 3l6 6m0 -6l-6 6", stroke: "currentColor", "stroke-width": 1.5 });
  const rows = [
    [sample(arc("alive")), "alive, as long as its share"],
    [sample(patterns(prefix), arc("suspect", { fill: `url(#${prefix}-suspect)` })), "does not answer"],
    [sample(arc("leaving", { fill: `url(#${prefix}-leaving)` })), "leaving"],
    [sample(arc("gone"), cross), "given up"],
    [sample(arc("left")), "left"],
    [sample(s("path", { class: "tick", d: "M3 2v8M9 2v8M13 2v8M19 2v8" })), "tokens on the circle of keys"],
    [sample(s("path", { class: "flow", d: "M2 6h18" })), "chunks from and to the node asked"],
    [sample(s("path", { class: "flow wanted", d: "M2 6h18" })), "has copies to fetch"],
  ];
  return h("ul", { class: "legend", "aria-label": "Legend" }, rows.map(([mark, text]) => h("li", null, mark, text)));
}
