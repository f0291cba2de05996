// The drawing of the ring: outside every node as an arc as long as its share, inside the circle of
// keys with all tokens; across it lookups, copies under way, and where the picked node's tokens are.

import { fill, s } from "./dom.js";
import { arcsOfKeys, band, chord, curve, layout, point, tick } from "./geometry.js";
import { patterns } from "./legend.js";
import { count, namer, size, stateWords } from "./words.js";

const LABELS_MAX = 26;
const LINE_HEIGHT = 17;

/** The width of a letter of a label, at most. */
const LETTER = 8.6;

let drawings = 0;

export class Ring {
  /** A drawing that tells which node was picked (its id, or nothing). */
  constructor({ onPick = () => {}, kind = "" } = {}) {
    drawings += 1;
    this.prefix = `ring${drawings}`;
    this.onPick = onPick;
    this.hovered = null;
    this.drawn = null;
    this.model = null;
    const group = (name) => s("g", { class: name });
    this.layers = {
      keys: group("layer-keys"),
      fan: group("layer-fan"),
      arcs: group("layer-arcs"),
      flows: group("layer-flows"),
      centre: group("centre"),
      hops: group("layer-hops"),
      marks: group("layer-marks"),
      labels: group("layer-labels"),
    };
    this.element = s("svg", {
      class: `ring ${kind}`.trim(),
      tabindex: "0",
      role: "application",
      "aria-roledescription": "drawing",
      // Until there is something to draw, and to sum up.
      "aria-label": "The ring",
      onkeydown: (event) => this.key(event),
    }, patterns(this.prefix), Object.values(this.layers));
    this.watchPointer();
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.element);
  }

  /** Ends the drawing. */
  end() {
    this.observer.disconnect();
  }

  /**
   * Draws. `model`: `nodes`; `own`, the id of the node asked; `picked`, an id; `flows`; `found`, the
   * answer to where a file is; `centre`, lines for the middle, each `[text, class]`.
   */
  show(model) {
    this.model = model;
    this.draw();
  }

  watchPointer() {
    const node = (event) => event.target.closest?.("[data-id]")?.dataset.id ?? null;
    this.element.addEventListener("click", (event) => {
      const id = node(event);
      this.onPick(id === this.model?.picked ? null : id);
    });
    this.element.addEventListener("pointermove", (event) => this.hover(event.pointerType === "mouse" ? node(event) : null));
    this.element.addEventListener("pointerleave", () => this.hover(null));
  }

  hover(id) {
    if (id === this.hovered) return;
    this.hovered = id;
    this.drawLabels();
  }

  key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const nodes = this.model?.nodes ?? [];
    if (event.key === "Escape") this.onPick(null);
    if (step === undefined || nodes.length === 0) return;
    event.preventDefault();
    const now = nodes.findIndex((node) => node.id === this.model.picked);
    const next = now < 0 ? (step > 0 ? 0 : nodes.length - 1) : (now + step + nodes.length) % nodes.length;
    this.onPick(nodes[next].id);
  }

  draw() {
    const { width, height } = this.element.getBoundingClientRect();
    if (this.model === null || width < 50 || height < 50) return;
    const { nodes, found } = this.model;
    this.name = namer(nodes);
    this.element.setAttribute("viewBox", `0 0 ${Math.round(width)} ${Math.round(height)}`);
    this.element.setAttribute("aria-label", this.summary());
    this.measure(width, height);
    this.places = layout(nodes);
    this.keyArcs = arcsOfKeys(nodes);
    const isAbout = Boolean(found) || this.places.has(this.model.picked);
    this.element.classList.toggle("about", isAbout);
    this.drawArcs();
    this.drawKeys();
    this.drawCentre();
    this.drawPicked();
    this.drawFlows();
    this.drawFound();
    this.drawLabels();
  }

  /** How large everything is. */
  measure(width, height) {
    const longest = this.model.nodes.reduce((most, node) => Math.max(most, this.name(node.addr).length), 0);
    const isNarrow = width < 460;
    const lift = this.model.found ? 30 : 16;
    const aside = Math.min(Math.min(longest, isNarrow ? 5 : longest) * LETTER + lift, width * 0.25);
    const outer = Math.max(90, Math.min(width / 2 - aside, height / 2 - lift - 18));
    const depth = Math.max(9, Math.min(26, outer * 0.085));
    const inner = outer - depth;
    this.size = { width, height, outer, inner, keys: inner - Math.max(10, outer * 0.05), isNarrow };
    this.centre = { x: width / 2, y: height / 2 };
    this.element.style.setProperty("--big", `${Math.min(34, Math.round(inner * 0.24))}px`);
    this.element.style.setProperty("--say", `${Math.max(11, Math.min(14, Math.round(inner * 0.11)))}px`);
  }

  summary() {
    const { nodes, centre } = this.model;
    const lines = (centre ?? []).map(([text]) => text).join(", ");
    return `The ring: ${count(nodes.length, "node")}. ${lines}. Left and right arrow keys go from node to node.`;
  }

  fillOf(state) {
    if (state === "suspect" || state === "leaving") return `url(#${this.prefix}-${state})`;
    return null;
  }

  /** Nodes that a lookup or a file concerns. */
  concerned() {
    const { found } = this.model;
    const ids = new Set();
    for (const hop of found?.hops ?? []) ids.add(hop.node);
    for (const holder of found?.holders ?? []) ids.add(holder.node);
    return ids;
  }

  drawArcs() {
    const { outer, inner } = this.size;
    const concerned = this.concerned();
    const many = this.places.size;
    const gap = many > 150 ? 0.6 : many > 40 ? 1.2 : 2;
    const kept = new Map([...this.layers.arcs.children].map((arc) => [arc.dataset.id, arc]));
    const arcs = [];
    const crosses = [];
    for (const [id, place] of this.places) {
      const { node } = place;
      const arc = kept.get(id) ?? s("path", { "data-id": id });
      const classes = ["arc"];
      if (id === this.model.picked) classes.push("picked");
      if (concerned.has(id)) classes.push("concerned");
      if (node.state === "alive" && !(node.share > 0)) classes.push("idle");
      arc.setAttribute("class", classes.join(" "));
      arc.setAttribute("d", band(this.centre, inner, outer, place.from, place.to));
      arc.setAttribute("stroke-width", many === 1 ? 0 : node.state === "gone" || node.state === "left" ? 1 : gap);
      arc.dataset.state = node.state;
      const pattern = id === this.model.picked && node.state === "alive" ? null : this.fillOf(node.state);
      if (pattern) arc.setAttribute("fill", pattern);
      else arc.removeAttribute("fill");
      if (!arc.firstChild) arc.append(s("title"));
      arc.firstChild.textContent = `${node.addr}: ${stateWords(node.state)}`;
      arcs.push(arc);
      if (node.state === "gone") crosses.push(this.cross(place));
    }
    fill(this.layers.arcs, arcs, crosses);
  }

  cross({ mid }) {
    const { outer } = this.size;
    const [x, y] = point(this.centre, outer + 9, mid);
    return s("path", { class: "cross", d: `M${x - 4} ${y - 4}l8 8m0 -8l-8 8` });
  }

  drawKeys() {
    const { keys } = this.size;
    const length = this.keyArcs.length > 400 ? 5 : 8;
    const lines = { alive: "", suspect: "" };
    for (const { node, at } of this.keyArcs) {
      const state = node.state === "suspect" ? "suspect" : "alive";
      lines[state] += tick(this.centre, keys - length, keys, at);
    }
    fill(this.layers.keys,
      s("circle", { class: "keys", cx: this.centre.x, cy: this.centre.y, r: keys }),
      Object.entries(lines).map(([state, d]) => d && s("path", { class: "tick", "data-state": state, d })));
  }

  drawCentre() {
    const lines = this.model.centre ?? [];
    const step = Math.max(17, Math.min(22, this.size.inner * 0.15));
    const top = this.centre.y - ((lines.length - 1) * step) / 2 + 6;
    fill(this.layers.centre, lines.map(([text, kind], index) =>
      s("text", { class: kind ?? "say", x: this.centre.x, y: top + index * step + (index > 0 ? 6 : 0) }, text)));
  }

  /** The picked node: its tokens, and the keys it owns. */
  drawPicked() {
    const place = this.places.get(this.model.picked);
    if (!place || this.model.found) {
      fill(this.layers.fan);
      return;
    }
    const { inner, keys } = this.size;
    const own = this.keyArcs.filter((arc) => arc.node.id === place.node.id);
    fill(this.layers.fan,
      own.map(({ at }) => s("path", { class: "fan", d: chord(this.centre, [inner, place.mid], [keys - 8, at], 0.55) })),
      own.map(({ after, at }) => s("path", { class: "owned", d: curve(this.centre, keys, after, at) })));
  }

  /** Copies under way: those of the node asked by where they come from, others by where they go. */
  drawFlows() {
    const { inner, keys } = this.size;
    const { flows = [], own, nodes, found } = this.model;
    const here = this.places.get(own);
    const lines = [];
    if (here && !found) {
      for (const flow of flows) {
        const there = this.places.get(flow.node);
        if (!there) continue;
        const line = (from, to) => s("path", { class: "flow", d: chord(this.centre, [inner - 3, from], [inner - 3, to]) });
        if (flow.fetched > 0) lines.push(line(there.mid + 0.004, here.mid + 0.004));
        if (flow.given > 0) lines.push(line(here.mid - 0.004, there.mid - 0.004));
      }
    }
    for (const node of found ? [] : nodes) {
      const place = this.places.get(node.id);
      if (!(node.copies_wanted > 0)) continue;
      const reach = Math.max(place.to - place.from, 0.03) / 2;
      const radius = (inner + keys) / 2;
      lines.push(s("path", { class: "flow wanted", d: curve(this.centre, radius, place.mid - reach, place.mid + reach) }));
    }
    fill(this.layers.flows, lines);
  }

  /** A lookup, hop by hop, and where the copies are. */
  drawFound() {
    const { found, own } = this.model;
    if (!found) {
      this.drawn = null;
      fill(this.layers.hops);
      fill(this.layers.marks);
      return;
    }
    const { inner, keys } = this.size;
    // What was drawn before is not drawn stroke by stroke again.
    this.layers.hops.classList.toggle("still", this.drawn === found);
    this.drawn = found;
    const [shapes, numbers] = [[], []];
    let from = found.hops.length > 0 ? this.places.get(own) : undefined;
    found.hops.forEach((hop, index) => {
      const to = this.places.get(hop.node);
      if (!to) return;
      if (from && from !== to) shapes.push(this.hop(from, to, index));
      numbers.push(this.hopNumber(to, index + 1));
      from = to;
    });
    const end = [keys, found.at];
    if (from) {
      const last = s("path", { class: "hop last", pathLength: 1, d: chord(this.centre, [inner, from.mid], end, 0.3) });
      last.style.setProperty("--i", found.hops.length);
      shapes.push(last);
    }
    fill(this.layers.hops, shapes, numbers);
    const [x, y] = point(this.centre, keys, found.at);
    const diamond = s("path", { class: "key", d: `M${x} ${y - 7}l7 7l-7 7l-7 -7Z` }, s("title", null, `key ${found.key}`));
    fill(this.layers.marks, diamond, found.holders.map((holder) => this.holder(holder)));
  }

  hop(from, to, index) {
    const { inner } = this.size;
    const line = s("path", { class: "hop", pathLength: 1, d: chord(this.centre, [inner, from.mid], [inner, to.mid]) });
    line.style.setProperty("--i", index);
    return line;
  }

  hopNumber({ mid }, number) {
    const [x, y] = point(this.centre, this.size.inner - 14, mid);
    return [s("circle", { class: "hop-disc", cx: x, cy: y, r: 9 }),
      s("text", { class: "hop-number", x, y: y + 0.5 }, number)];
  }

  holder(holder) {
    const place = this.places.get(holder.node);
    if (!place) return null;
    const [x, y] = point(this.centre, this.size.outer + 12, place.mid);
    const marks = { durable: "M-3.5 0.2l2.4 2.6l4.4 -5", unreachable: "M-3 -3l6 6m0 -6l-6 6", missing: "" };
    return s("g", { transform: `translate(${x} ${y})` },
      s("circle", { class: `holder ${holder.copy}`, r: 8 }),
      s("path", { class: `holder-mark ${holder.copy}`, d: marks[holder.copy] ?? "" }),
      s("title", null, `${holder.addr}: copy ${holder.copy}`));
  }

  /** Labels, the important ones first; one that would lie on another is left out. */
  drawLabels() {
    if (!this.places) return;
    const { picked, own } = this.model;
    const concerned = this.concerned();
    const few = this.places.size <= LABELS_MAX;
    const rank = ({ node }) => {
      if (node.id === this.hovered) return 0;
      if (node.id === picked) return 1;
      if (concerned.has(node.id)) return 2;
      if (concerned.size > 0 && !few) return 9;
      if (node.state === "suspect" || node.state === "leaving") return 3;
      if (node.id === own) return 4;
      if (node.state !== "alive") return few ? 5 : 9;
      return few ? 6 : 9;
    };
    const ranked = [...this.places.values()].map((place) => [rank(place), place]);
    const wanted = ranked.filter(([order]) => order < 9).sort(([one], [other]) => one - other);
    const taken = [];
    const shapes = wanted.map(([order, place]) => this.label(place, order, taken, concerned));
    const here = this.places.get(own);
    if (here) {
      const [x, y] = point(this.centre, this.size.inner - 7, here.mid);
      shapes.push(s("circle", { class: "own", cx: x, cy: y, r: 3 }, s("title", null, "the node asked")));
    }
    fill(this.layers.labels, shapes);
  }

  label(place, order, taken, concerned) {
    const { node, mid } = place;
    const { outer, width, isNarrow } = this.size;
    const lift = concerned.has(node.id) ? 26 : node.state === "gone" ? 20 : 12;
    const [x, y] = point(this.centre, outer + lift, mid);
    const isRight = mid < 0.5;
    const isPole = Math.abs(x - this.centre.x) < 14;
    const anchor = isPole ? "middle" : isRight ? "start" : "end";
    let text = this.name(node.addr);
    if (isNarrow && text.length > 6 && order > 0) text = `…${text.slice(-4).replace(/^[.:]/, "")}`;
    if (order === 0 && node.share > 0) text += ` · ${(node.share * 100).toFixed(1)} %`;
    const isStrong = order <= 2 || node.id === this.model.own;
    const long = text.length * (isStrong ? LETTER : 7.8);
    const left = anchor === "start" ? x : anchor === "end" ? x - long : x - long / 2;
    const shift = Math.min(0, width - 2 - (left + long)) + Math.max(0, 2 - left);
    const box = { left: left + shift, right: left + shift + long, y };
    const isOn = (other) => Math.abs(other.y - box.y) < LINE_HEIGHT && other.left < box.right && box.left < other.right;
    if (order > 0 && taken.some(isOn)) return null;
    taken.push(box);
    return s("text", {
      class: isStrong ? "label strong" : "label",
      "data-state": node.state,
      x: x + shift,
      y: y + (isPole ? (y < this.centre.y ? -2 : 10) : 4),
      "text-anchor": anchor,
    }, text);
  }
}

/** The lines in the middle of a living ring. */
export function centreOf(scene) {
  const { ring } = scene;
  const members = ring.nodes.filter((node) => ["alive", "suspect", "leaving"].includes(node.state));
  const silent = members.filter((node) => node.state === "suspect").length;
  const used = members.reduce((sum, node) => sum + (node.used_bytes ?? 0), 0);
  const offered = members.reduce((sum, node) => sum + node.offered_bytes, 0);
  const lines = [[count(members.length, "node"), "big"]];
  lines.push(ring.whole ? ["the ring is whole", "say"] : ["the ring is not whole", "bad"]);
  if (silent > 0) lines.push([`${silent} silent`, "warn"]);
  lines.push([`${size(used)} of ${size(offered)}`, "say"]);
  return lines;
}
