// Makes elements. Text stays text: no name of a file is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

function made(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element of HTML: `h("p", { class: "soft", onclick: f }, "text", child)`. */
export function h(tag, attributes, ...children) {
  return made(document.createElement(tag), attributes, children);
}

/** The same of SVG. */
export function s(tag, attributes, ...children) {
  return made(document.createElementNS(SVG, tag), attributes, children);
}

/** Replaces what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A sentence of the node, in which what is between backticks is to be typed; long keys are cut. */
export function sentence(text) {
  return text.split("`").map((part, index) => (index % 2 === 1 ? h("code", null, part) : shortened(part)));
}

function shortened(text) {
  return text.split(/([0-9a-f]{32,})/).map((part, index) =>
    (index % 2 === 1 ? h("code", { title: part }, `${part.slice(0, 8)}…`) : part));
}

/** A list of terms and what is said of them; those without a value are left out. */
export function facts(pairs, kind = "facts") {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  const rows = shown.map(([term, ...values]) => [h("dt", null, term), h("dd", null, ...values)]);
  return h("dl", { class: kind }, kind === "facts" ? rows : rows.map((row) => h("div", null, row)));
}
