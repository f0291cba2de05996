// The last day: what happened to nodes, and the ring as it was at any moment of it.

import { ask } from "./api.js";
import { fill, h, s } from "./dom.js";
import { legend } from "./legend.js";
import { known, watch } from "./live.js";
import { nodesAt } from "./past.js";
import { Ring } from "./ring.js";
import { troubleBox } from "./trouble.js";
import { ago, count, dayTime, happened, namer } from "./words.js";

const ROWS = 200;

export function timelineView() {
  const state = { timeline: null, at: null, noted: null };
  const ring = new Ring({ kind: "middle" });
  const slider = h("input", { type: "range", id: "moment", min: 0, max: 1, step: 1, oninput: () => choose(Number(slider.value)) });
  const label = h("output", { for: "moment" });
  const strip = s("svg", { class: "strip", viewBox: "0 0 1000 22", preserveAspectRatio: "none", "aria-hidden": "true" });
  const list = h("div");
  const notice = h("div");

  function choose(at) {
    state.at = at >= Number(slider.max) ? null : at;
    draw();
  }

  function step(by) {
    const times = [...new Set(state.timeline.events.map((event) => Date.parse(event.at)))];
    const now = state.at ?? Infinity;
    const next = by < 0 ? times.filter((at) => at < now).at(-1) : times.find((at) => at > now);
    state.at = next ?? (by < 0 ? Number(slider.min) : null);
    draw();
  }

  async function load() {
    state.noted = known().scene?.noted;
    try {
      state.timeline = await ask("/v1/timeline");
      fill(notice);
    } catch (error) {
      fill(notice, troubleBox(error));
    }
    draw();
  }

  function changed() {
    // Only what the node noted is worth another question.
    if (known().scene?.noted !== state.noted) load();
    else draw();
  }

  function draw() {
    const { scene } = known();
    const { timeline } = state;
    if (scene === null || timeline === null) return;
    const [begin, end] = [Date.parse(timeline.since), Date.parse(timeline.now)];
    slider.min = begin;
    slider.max = end;
    slider.value = state.at ?? end;
    const at = state.at ?? end;
    const nodes = state.at === null ? scene.ring.nodes : nodesAt(scene, timeline, state.at);
    const words = state.at === null ? "now" : `${dayTime(at)} (${ago(new Date(at).toISOString(), end)})`;
    label.textContent = words;
    slider.setAttribute("aria-valuetext", words);
    const here = nodes.filter((node) => node.state !== "gone" && node.state !== "left");
    const silent = here.filter((node) => node.state === "suspect").length;
    ring.show({
      nodes,
      own: scene.node,
      centre: [[count(here.length, "node"), "big"], [state.at === null ? "as it is now" : `at ${dayTime(at)}`, "say"], silent > 0 ? [`${silent} silent`, "warn"] : ["", "say"]],
    });
    marks(begin, end);
    fill(list, table(timeline, nodes, scene));
  }

  function marks(begin, end) {
    const length = Math.max(1, end - begin);
    fill(strip, s("line", { class: "axis", x1: 0, x2: 1000, y1: 21, y2: 21 }),
      state.timeline.events.slice(-1000).map((event) => {
        const x = ((Date.parse(event.at) - begin) / length) * 1000;
        return s("line", { "data-what": event.what, x1: x, x2: x, y1: 4, y2: 20, "vector-effect": "non-scaling-stroke" });
      }));
  }

  function table(timeline, nodes, scene) {
    if (timeline.events.length === 0) {
      return h("div", { class: "sheet empty" }, h("h2", null, "Nothing happened yet"), h("p", null, "When a node comes, falls silent, returns or leaves, it is noted here."));
    }
    const name = namer(scene.ring.nodes);
    const rows = timeline.events.slice(-ROWS).reverse();
    return h("div", { class: "table-box" }, h("table", null,
      h("caption", { class: "visually-hidden" }, "What happened, newest first"),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "When"), h("th", { scope: "col" }, "What happened"))),
      h("tbody", null, rows.map((event) => {
        const at = Date.parse(event.at);
        const go = () => choose(at);
        return h("tr", { class: at === state.at ? "picked" : null },
          h("td", null, h("button", { type: "button", class: "link", onclick: go }, dayTime(at))),
          h("td", null, h("strong", null, name(event.addr ?? event.node.slice(0, 8))), ` ${happened(event.what)}`));
      }))));
  }

  const end = watch(changed);
  load();
  const element = h("div", null,
    h("div", { class: "view-head" }, h("h1", null, "Timeline"),
      h("p", null, "What this node saw happen to nodes, of the last day at most and since it was started. Move the slider to see the ring as it was.")),
    notice,
    h("div", { class: "columns" },
      h("div", { class: "stack" },
        h("div", { class: "sheet" },
          h("div", { class: "row" }, h("label", { for: "moment", class: "grow" }, "Moment: ", label),
            h("button", { type: "button", onclick: () => step(-1) }, "Before"),
            h("button", { type: "button", onclick: () => step(1) }, "After"),
            h("button", { type: "button", onclick: () => choose(Infinity) }, "Now")),
          strip, slider),
        h("div", { class: "ring-box" }, ring.element), legend("legend-past")),
      h("aside", { class: "stack", "aria-label": "What happened" }, list)));
  return { element, end: () => (end(), ring.end()) };
}
