// All nodes in a table: what the drawing shows, for whoever reads or searches.

import { fill, h } from "./dom.js";
import { stateMark } from "./legend.js";
import { known, watch } from "./live.js";
import { ago, percent, short, size } from "./words.js";

const COLUMNS = [
  { key: "addr", title: "Address", value: (node) => node.addr.padStart(24) },
  { key: "state", title: "State", value: (node) => ["gone", "left", "alive", "leaving", "suspect"].indexOf(node.state) },
  { key: "used", title: "Used", number: true, value: (node) => node.used_bytes ?? -1 },
  { key: "offered", title: "Offered", number: true, value: (node) => node.offered_bytes },
  { key: "share", title: "Share", number: true, value: (node) => node.share },
  { key: "copies", title: "To fetch", number: true, value: (node) => node.copies_wanted ?? -1 },
  { key: "scrub", title: "Read again", value: (node) => node.scrub?.round_ended ?? "" },
  { key: "id", title: "Id", value: (node) => node.id },
];

export function nodesView(parameters, go) {
  const state = { sort: "addr", down: false, search: "", shown: parameters.get("state") ?? "members" };
  const body = h("tbody");
  const head = h("tr");
  const summary = h("p", { role: "status" });
  const search = h("input", { type: "search", id: "node-search", placeholder: "address or id", oninput: () => change({ search: search.value.trim().toLowerCase() }) });
  const shown = h("select", { id: "node-shown", onchange: () => change({ shown: shown.value }) },
    [["members", "on the ring"], ["suspect", "not answering"], ["former", "given up or left"], ["all", "all"]].map(([value, text]) =>
      h("option", { value, selected: value === state.shown }, text)));

  function change(more) {
    Object.assign(state, more);
    draw();
  }

  function order(key) {
    change(state.sort === key ? { down: !state.down } : { sort: key, down: COLUMNS.find((column) => column.key === key).number === true });
    head.querySelector(`[data-key="${key}"]`)?.focus();
  }

  function draw() {
    const { scene } = known();
    if (scene === null) return;
    fill(head, COLUMNS.map((column) => h("th", {
      scope: "col",
      class: column.number ? "number" : null,
      "aria-sort": state.sort === column.key ? (state.down ? "descending" : "ascending") : null,
    }, h("button", { type: "button", "data-key": column.key, onclick: () => order(column.key) }, column.title))));
    const rows = scene.ring.nodes.filter((node) => matches(node, state));
    const { value } = COLUMNS.find((column) => column.key === state.sort);
    const sign = state.down ? -1 : 1;
    rows.sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      return a < b ? -sign : a > b ? sign : 0;
    });
    summary.textContent = rows.length === scene.ring.nodes.length ? "" : `${rows.length} of ${scene.ring.nodes.length} shown.`;
    fill(body, rows.map((node) => row(node, scene, go)));
    if (rows.length === 0) fill(body, h("tr", null, h("td", { colspan: COLUMNS.length, class: "empty whole" }, "No node fits.")));
  }

  const end = watch(draw);
  draw();
  const element = h("div", null,
    h("div", { class: "view-head" }, h("h1", null, "Nodes"), summary),
    h("div", { class: "row low toolbar" },
      h("div", { class: "field grow" }, h("label", { for: "node-search" }, "Search"), search),
      h("div", { class: "field" }, h("label", { for: "node-shown" }, "Show"), shown)),
    h("div", { class: "table-box cards" }, h("table", null, h("caption", { class: "visually-hidden" }, "The nodes of the ring"), h("thead", null, head), body)));
  return { element, end };
}

function matches(node, { search, shown }) {
  const isFormer = node.state === "gone" || node.state === "left";
  if (shown === "members" && isFormer) return false;
  if (shown === "former" && !isFormer) return false;
  if (shown === "suspect" && node.state !== "suspect") return false;
  return node.addr.includes(search) || node.id.startsWith(search);
}

function row(node, scene, go) {
  const full = node.offered_bytes > 0 && node.used_bytes !== null ? node.used_bytes / node.offered_bytes : 0;
  const bar = h("i");
  bar.style.width = `${Math.min(100, full * 100)}%`;
  const own = node.id === scene.node ? [" ", h("span", { class: "tag" }, "asked")] : null;
  const read = node.scrub === null ? "?" : node.scrub.round_ended ? ago(node.scrub.round_ended) : "not yet";
  const bad = node.scrub?.found > 0 ? ` · ${node.scrub.found} bad, ${node.scrub.mended} mended` : "";
  return h("tr", null,
    h("td", { class: "whole" }, h("button", { type: "button", class: "link", onclick: () => go("ring", { node: node.id }) }, node.addr), own),
    h("td", { "data-label": "State" }, stateMark(node.state)),
    h("td", { class: "number", "data-label": "Used" }, size(node.used_bytes), h("span", { class: "bar", role: "presentation" }, bar)),
    h("td", { class: "number", "data-label": "Offered" }, node.offered_bytes === 0 ? "nothing" : size(node.offered_bytes)),
    h("td", { class: "number", "data-label": "Share" }, percent(node.share)),
    h("td", { class: "number", "data-label": "To fetch" }, node.copies_wanted === null ? "?" : String(node.copies_wanted)),
    h("td", { "data-label": "Read again" }, read, bad),
    h("td", { "data-label": "Id" }, h("code", null, short(node.id))));
}
