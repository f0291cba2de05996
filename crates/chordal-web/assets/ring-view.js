// The ring, live: the drawing, what it means for the files, the way to a file, and one node's facts.

import { ask } from "./api.js";
import { facts, fill, h, sentence } from "./dom.js";
import { legend, stateMark } from "./legend.js";
import { known, watch } from "./live.js";
import { Ring, centreOf } from "./ring.js";
import { troubleBox } from "./trouble.js";
import { count, moment, namer, percent, short, size } from "./words.js";

/** How many nodes are named beside the drawing. */
const GLANCE = 8;

/** How many of the things that are not as they should be. */
const PROBLEMS = 5;

/** What the facts mean for the files. */
export function verdict(scene, heading = "h2") {
  const { safety } = scene;
  const title = {
    safe: safety.unplug === 0 ? "Safe, but not every node answers" : "Safe: any one node may go",
    one_copy: "One copy of everything",
    waiting: "Copies out of reach",
    working: "Copies are being made",
    missing: "Copies are missing",
    minority: "Too few nodes can be reached",
  }[safety.state];
  return h("section", { class: "sheet verdict", "data-state": safety.state },
    h(heading, null, title),
    h("p", null, sentence(safety.words)));
}

/** The nodes that should hold a file, with what they have. */
export function holders(found, name) {
  const words = { durable: "✔ has it", missing: "· lacks it", unreachable: "✕ out of reach" };
  return h("ul", { class: "list" }, found.holders.map((holder) =>
    h("li", { class: "copy" }, h("span", null, name(holder.addr)), h("span", { class: "soft" }, words[holder.copy] ?? holder.copy))));
}

export function ringView(parameters, go) {
  const state = { picked: parameters.get("node"), found: null, asked: "" };
  const ring = new Ring({ onPick: pick });
  const aside = { verdict: h("div"), node: h("div"), found: h("div"), news: h("div") };
  const input = h("input", { type: "text", id: "where-name", autocomplete: "off", spellcheck: "false", placeholder: "photos/cat.jpg" });
  const form = h("form", { class: "sheet", onsubmit: look },
    h("h2", null, h("label", { for: "where-name" }, "Where is a file?")),
    h("div", { class: "row" }, h("div", { class: "grow" }, input), h("button", { type: "submit" }, "Show")),
    aside.found);

  function pick(id) {
    state.picked = id;
    state.found = null;
    fill(aside.found);
    draw();
  }

  async function look(event) {
    event?.preventDefault();
    const name = input.value.trim();
    if (name === "") return;
    state.asked = name;
    try {
      const found = await ask("/v1/where", { name });
      if (state.asked !== name) return;
      state.found = found;
      state.picked = null;
    } catch (error) {
      state.found = null;
      fill(aside.found, troubleBox(error));
    }
    draw();
  }

  function draw() {
    const { scene, news } = known();
    if (scene === null) return;
    const { nodes } = scene.ring;
    const name = namer(nodes);
    ring.show({ nodes, own: scene.node, picked: state.picked, flows: scene.flows, found: state.found, centre: centreOf(scene) });
    fill(aside.verdict, verdict(scene));
    if (state.found) fill(aside.found, foundBox(state.found, name, () => pick(null)));
    fill(aside.node, nodeBox(nodes.find((node) => node.id === state.picked), scene, pick, go));
    fill(aside.news, newsBox(scene, news));
  }

  input.value = parameters.get("where") ?? "";
  if (input.value !== "") look();
  const end = watch(draw);
  const element = h("div", { class: "columns" },
    h("div", { class: "stack" },
      h("h1", { class: "visually-hidden" }, "The ring"),
      h("div", { class: "ring-box" }, ring.element),
      legend()),
    h("aside", { class: "stack", "aria-label": "About the ring" }, aside.verdict, form, aside.node, aside.news));
  requestAnimationFrame(draw);
  return { element, end: () => (end(), ring.end()) };
}

function foundBox(found, name, clear) {
  const via = { own: "itself", table: "its table of nodes", successor: "a successor", predecessor: "a predecessor" };
  const hops = found.hops.map((hop) => h("li", null,
    h("span", null, name(hop.addr), h("span", { class: "soft" }, ` by ${via[hop.via] ?? hop.via}`)),
    h("span", { class: "soft number" }, `${hop.ms.toFixed(1)} ms`)));
  return h("div", { class: "stack", role: "status" },
    h("p", null, found.exists ? h("strong", { class: "wrap" }, found.name) : [h("strong", { class: "wrap" }, found.name), " is not stored; this is where it would be."]),
    h("h3", null, "The way to it"),
    h("ol", { class: "list hops" }, hops),
    h("h3", null, found.exists ? "Its copies" : "Its holders"),
    holders(found, name),
    h("p", { class: "hint" }, "Key ", h("code", { class: "wrap" }, found.key)),
    h("div", null, h("button", { type: "button", onclick: clear }, "Back to the ring")));
}

/** The nodes that matter most, each a step away from its tokens. */
function glance(scene, pick, go) {
  const order = ["suspect", "leaving", "alive", "gone", "left"];
  const nodes = [...scene.ring.nodes].sort((one, other) =>
    order.indexOf(one.state) - order.indexOf(other.state) || (one.addr < other.addr ? -1 : 1));
  const shown = nodes.slice(0, GLANCE);
  return h("section", { class: "sheet" },
    h("h2", null, "Nodes"),
    h("ul", { class: "list glance" }, shown.map((node) => h("li", null,
      h("button", { type: "button", class: "link", onclick: () => pick(node.id) }, node.addr),
      stateMark(node.state, node.state),
      h("span", { class: "number soft" }, size(node.used_bytes))))),
    h("p", { class: "hint" }, nodes.length > GLANCE ? `and ${nodes.length - GLANCE} more. ` : "Pick one, or its arc, to see its tokens and the keys it owns. ",
      h("button", { type: "button", class: "link", onclick: () => go("nodes") }, "All in a table")));
}

function nodeBox(node, scene, pick, go) {
  if (!node) return glance(scene, pick, go);
  return h("section", { class: "sheet", role: "status" },
    h("h2", null, node.addr),
    facts([
      ["State", stateMark(node.state)],
      ["Id", h("code", null, short(node.id)), node.id === scene.node ? " (the node asked)" : ""],
      ["Share", percent(node.share)],
      ["Tokens", String(node.tokens.length)],
      ["Used", `${size(node.used_bytes)} of ${size(node.offered_bytes)}`],
      ["To fetch", node.copies_wanted > 0 ? count(node.copies_wanted, "copy") : null],
      ["To hand over", node.handing_off > 0 ? count(node.handing_off, "copy") : null],
    ]),
    h("div", null, h("button", { type: "button", onclick: () => pick(null) }, "Back to the ring")));
}

function newsBox(scene, news) {
  const problems = scene.ring.problems.filter((problem) => !problem.startsWith("one node, one copy"));
  if (problems.length === 0 && news.length === 0) return null;
  return h("section", { class: "sheet" },
    problems.length > 0 && [h("h2", null, "Not as it should be"),
      h("ul", { class: "list" }, problems.slice(0, PROBLEMS).map((problem) => h("li", { class: "wrap" }, sentence(problem)))),
      problems.length > PROBLEMS && h("p", { class: "hint" }, `and ${problems.length - PROBLEMS} more`)],
    news.length > 0 && [h("h2", null, "Since you look"),
      h("ul", { class: "list" }, news.slice(0, 6).map((item) =>
        h("li", null, h("span", { class: "soft" }, `${moment(item.at)} `), item.text)))]);
}
