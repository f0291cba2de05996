// One file: what is known of it, where its copies are, and what can be done with it.

import { address, ask, open } from "./api.js";
import { confirm } from "./confirm.js";
import { facts, fill, h } from "./dom.js";
import { known, watch } from "./live.js";
import { Ring } from "./ring.js";
import { holders } from "./ring-view.js";
import { troubleBox } from "./trouble.js";
import { moment, namer, size } from "./words.js";

/** Has the browser fetch a file by itself, straight to the disk. */
export async function download(name) {
  const ticket = await ask("/v1/tickets", null, { method: "POST", body: { name } });
  const link = h("a", { href: address("/v1/files", { name: ticket.name, ticket: ticket.ticket }), download: "" });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Deletes a file after asking; whether it was. */
export async function remove(name) {
  const agreed = await confirm({
    title: "Delete this file?",
    words: [name, "It is deleted for everybody on the ring, and cannot be brought back."],
    act: "Delete",
  });
  if (!agreed) return false;
  await open("/v1/files", { method: "DELETE", parameters: { name } });
  return true;
}

/** Shows a file. `onRemoved` and `onClose` say what follows. */
export function details(name, { onRemoved, onClose, go }) {
  const ring = new Ring({ kind: "small" });
  const box = h("div", { class: "stack" }, h("p", { class: "soft" }, "Looking…"));
  const notice = h("div");
  let found = null;

  function draw() {
    const { scene } = known();
    if (scene === null || found === null) return;
    ring.show({ nodes: scene.ring.nodes, own: scene.node, found });
  }

  async function act(what) {
    fill(notice);
    try {
      await what();
    } catch (error) {
      fill(notice, troubleBox(error));
    }
  }

  async function load() {
    const [stat, where] = await Promise.all([ask("/v1/stat", { name }), ask("/v1/where", { name })]);
    // The way to it is for the ring's own view; here only the copies count.
    found = { ...where, hops: [] };
    const durable = where.holders.filter((holder) => holder.copy === "durable").length;
    fill(box,
      facts([
        ["Size", `${size(stat.size)} (${stat.size.toLocaleString("en")} bytes)`],
        ["Modified", moment(stat.modified)],
        ["Kind", stat.content_type],
        ["Version", stat.version],
        ["Chunks", stat.chunks === 0 ? "none: the bytes are in the record" : String(stat.chunks)],
        ["Hash", h("code", null, stat.hash.slice(0, 16), "…")],
      ]),
      h("div", { class: "row" },
        h("button", { type: "button", class: "main", onclick: () => act(() => download(name)) }, "Download"),
        h("button", { type: "button", onclick: () => go("ring", { where: name }) }, "The way to it"),
        h("button", { type: "button", onclick: () => act(async () => (await remove(name)) && onRemoved()) }, "Delete…")),
      notice,
      h("h3", null, `Copies: ${durable} of ${where.holders.length} on disk`),
      ring.element,
      holders(where, namer(known().scene?.ring.nodes ?? [])));
    requestAnimationFrame(draw);
  }

  load().catch((error) => fill(box, troubleBox(error)));
  const end = watch(draw);
  const element = h("section", { class: "sheet", "aria-label": "One file" },
    h("div", { class: "row" }, h("h2", { class: "grow wrap" }, name),
      h("button", { type: "button", class: "quiet", "aria-label": "Close the details", onclick: onClose }, "Close")),
    box);
  return { element, end: () => (end(), ring.end()) };
}
