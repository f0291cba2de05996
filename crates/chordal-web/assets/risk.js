// The risk: what would be lost if any one, any two, any three nodes died now, as the node judges it.

import { h } from "./dom.js";
import { percent, short } from "./words.js";

const DEATHS = { 1: "any one node dies", 2: "any two nodes die", 3: "any three nodes die" };

/** Shows a risk; `addressOf` names a node. */
export function riskBox(risk, addressOf) {
  return h("section", { class: "stack" },
    h("h2", null, "Risk"),
    h("p", { class: "soft" }, "By who should hold what, of nodes that answer and have everything. In parts of all keys, among which files lie evenly."),
    h("div", { class: "table-box cards" }, h("table", null,
      h("caption", { class: "visually-hidden" }, "What deaths would lose"),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "If"), h("th", { scope: "col" }, "At worst is lost"), h("th", { scope: "col" }, "By the deaths of"), h("th", { scope: "col", class: "number" }, "Groups that hold something alone"))),
      h("tbody", null, risk.deaths.map((deaths) => row(deaths, addressOf))))),
    shares(risk));
}

function row(deaths, addressOf) {
  const isSafe = deaths.worst.length === 0;
  const many = `${deaths.groups.toLocaleString("en")} of ${deaths.choices.toLocaleString("en")}`;
  return h("tr", null,
    h("td", { class: "whole" }, h("strong", null, DEATHS[deaths.count])),
    h("td", { "data-label": "At worst is lost" }, isSafe ? h("span", { class: "state", "data-state": "alive" }, "nothing") : h("span", { class: "state", "data-state": deaths.count > 2 ? "left" : "gone" }, percent(deaths.share))),
    h("td", { "data-label": "By the deaths of" }, isSafe ? "–" : deaths.worst.map((id) => addressOf(id) ?? short(id)).join(", ")),
    h("td", { class: "number", "data-label": "Groups that hold something alone" }, many));
}

/** How many copies the keys have. */
function shares(risk) {
  const parts = risk.shares.map((share, copies) => ({ share, copies })).filter(({ share, copies }) => share > 0 || copies === risk.copies);
  const words = parts.map(({ share, copies }) => `${percent(share)} with ${copies} of ${risk.copies}`).reverse();
  const bar = h("span", { class: "copies-bar", role: "img", "aria-label": `Keys by copies: ${words.join(", ")}` }, parts.reverse().map(({ share, copies }) => {
    const part = h("i", { "data-copies": copies === risk.copies ? "all" : copies });
    part.style.flexGrow = share;
    return part;
  }));
  return h("div", { class: "sheet" },
    h("h3", null, "Keys by copies that count"), bar, h("p", { class: "small soft" }, `${words.join(" · ")} copies`));
}
