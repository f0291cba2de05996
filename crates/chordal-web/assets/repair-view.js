// Repair: what is missing, how fast it is made again, and what may be unplugged.

import { facts, fill, h, s } from "./dom.js";
import { stateMark } from "./legend.js";
import { known, watch } from "./live.js";
import { verdict } from "./ring-view.js";
import { count, moment, span } from "./words.js";

const KEPT = 240;

/** Missing copies as they were told since the page is open. */
const seen = [];

function remember(scene) {
  const last = seen.at(-1);
  const now = Date.now();
  if (last && last.missing === scene.repair.copies_missing && now - last.at < 1000) return;
  seen.push({ at: now, missing: scene.repair.copies_missing });
  if (seen.length > KEPT) seen.shift();
}

watch(() => {
  const { scene } = known();
  if (scene !== null) remember(scene);
});

export function repairView() {
  const box = h("div", { class: "stack" });
  function draw() {
    const { scene } = known();
    if (scene !== null) fill(box, content(scene));
  }
  const end = watch(draw);
  draw();
  return { element: h("div", null, h("div", { class: "view-head" }, h("h1", null, "Repair")), box), end };
}

function content(scene) {
  const { repair, progress, safety } = scene;
  const unplug = safety.unplug === 0 ? ["none", "not at the moment"] : [`${safety.unplug}`, "any one, now"];
  const left = repair.copies_missing === 0 ? ["–", "nothing to do"]
    : repair.state === "waiting" ? ["–", "waits for silent nodes first"]
      : progress.left_s === null ? ["…", "not known yet"] : [span(progress.left_s), "at this pace"];
  const figure = (term, [value, small]) => [term, value, h("small", null, small)];
  const wanting = scene.ring.nodes.filter((node) => node.copies_wanted > 0 || node.handing_off > 0 || node.state === "suspect" || node.state === "leaving");
  return [
    verdict(scene),
    facts([
      figure("Copies missing", [repair.copies_missing.toLocaleString("en"), { idle: "none is being made", waiting: "waiting for their nodes", working: "being made" }[repair.state]]),
      figure("Made in a second", [progress.per_second === null ? "–" : progress.per_second.toLocaleString("en"), "of late, in the whole ring"]),
      figure("Time left", left),
      figure("Safe to unplug", unplug),
    ], "figures"),
    progress.most_missing > 0 && bar(1 - repair.copies_missing / progress.most_missing),
    seen.some(({ missing }) => missing > 0) && history(),
    h("section", { class: "sheet" },
      h("h2", null, "Who is concerned"),
      wanting.length === 0
        ? h("p", { class: "soft" }, "No node fetches copies, hands any over, or is silent.")
        : h("div", { class: "table-box cards" }, h("table", null,
          h("thead", null, h("tr", null, h("th", null, "Node"), h("th", null, "State"), h("th", { class: "number" }, "To fetch"), h("th", { class: "number" }, "To hand over"))),
          h("tbody", null, wanting.map((node) => h("tr", null,
            h("td", { class: "whole" }, node.addr),
            h("td", { "data-label": "State" }, stateMark(node.state)),
            h("td", { class: "number", "data-label": "To fetch" }, node.copies_wanted ?? "?"),
            h("td", { class: "number", "data-label": "To hand over" }, node.handing_off ?? "?"))))))),
    scrubbed(scene.ring.nodes),
  ];
}

function bar(part) {
  const inner = h("i");
  inner.style.width = `${Math.round(part * 100)}%`;
  return h("span", { class: "bar", role: "img", "aria-label": `${Math.round(part * 100)} % made again` }, inner);
}

/** Missing copies over the time that this page is open. */
function history() {
  const [width, height] = [600, 80];
  const most = Math.max(...seen.map(({ missing }) => missing));
  const begin = seen[0].at;
  const length = Math.max(1, Date.now() - begin);
  const x = (at) => ((at - begin) / length) * width;
  const y = (missing) => height - 4 - (missing / most) * (height - 12);
  let line = "";
  seen.forEach(({ at, missing }, index) => {
    line += index === 0 ? `M${x(at)} ${y(missing)}` : `H${x(at)}V${y(missing)}`;
  });
  line += `H${width}`;
  return h("section", { class: "sheet" },
    h("h2", null, "Missing copies since this page is open"),
    s("svg", { class: "history", viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", width: "100%", height, "aria-label": `At most ${count(most, "copy")}, now ${seen.at(-1).missing}` },
      s("path", { d: line, fill: "none", stroke: "currentColor", "stroke-width": 2, "vector-effect": "non-scaling-stroke" })),
    h("p", { class: "hint" }, `${span(length / 1000)} · at most ${count(most, "copy")}`));
}

function scrubbed(nodes) {
  const said = nodes.filter((node) => node.scrub !== null && node.offered_bytes > 0);
  const never = said.filter((node) => node.scrub.round_ended === null).length;
  const found = said.reduce((sum, node) => sum + node.scrub.found, 0);
  const mended = said.reduce((sum, node) => sum + node.scrub.mended, 0);
  const first = said.map((node) => node.scrub.round_ended).filter(Boolean).sort()[0];
  return h("section", { class: "sheet" },
    h("h2", null, "Scrub"),
    h("p", null, never > 0 ? `Not every copy was read again yet, on ${count(never, "node")}.` : first ? `Every copy was read again by ${moment(first)} or later.` : "Nobody says whether copies are read again."),
    h("p", { class: "soft" }, found === 0 ? "No bad copy was ever found." : `${count(found, "bad copy")} found so far, ${mended} mended.`));
}
