// The certificate: the live ring is walked when somebody asks for it.

import { ask } from "./api.js";
import { facts, fill, h, sentence } from "./dom.js";
import { known, watch } from "./live.js";
import { riskBox } from "./risk.js";
import { troubleBox } from "./trouble.js";
import { count, moment, short } from "./words.js";

let last = null;

export function checkView() {
  const box = h("div", { class: "stack", "aria-live": "polite" });
  const button = h("button", { type: "button", class: "main", onclick: walk }, "Walk the ring now");

  async function walk() {
    button.disabled = true;
    button.textContent = "Walking…";
    try {
      last = { at: Date.now(), check: await ask("/v1/check") };
      fill(box, certificate(last));
    } catch (error) {
      fill(box, troubleBox(error));
    }
    button.disabled = false;
    button.textContent = "Walk the ring again";
  }

  const risk = h("div");
  let judged = null;

  /** The risk follows what happens to nodes and to copies. */
  async function judge() {
    const { scene } = known();
    const now = scene && `${scene.noted} ${scene.repair.state} ${scene.repair.copies_missing}`;
    if (scene === null || judged === now) return;
    judged = now;
    const addressOf = (id) => known().scene.ring.nodes.find((node) => node.id === id)?.addr;
    try {
      fill(risk, riskBox(await ask("/v1/risk"), addressOf));
    } catch (error) {
      fill(risk, troubleBox(error));
    }
  }

  const end = watch(judge);
  judge();
  fill(box, last === null ? empty() : certificate(last));
  const element = h("div", null,
    h("div", { class: "view-head" },
      h("h1", null, "Check"),
      h("p", null, "Every node that a pointer leads to is asked for all its pointers, over the network. The certificate says what was found, not what is believed.")),
    h("div", { class: "row toolbar" }, button), h("div", { class: "stack" }, box, risk));
  return { element, end };
}

function empty() {
  return h("div", { class: "sheet empty" },
    h("h2", null, "No certificate yet"),
    h("p", null, "Walk the ring to learn whether it is one ordered ring that goes round once, with every pointer right. It takes a moment and changes nothing."));
}

function certificate({ at, check }) {
  const words = {
    right: "The ring is right: one ordered ring, every pointer as it should be",
    wrong: "The ring is not right",
    unknown: "Not certain: too few nodes answered",
  };
  return [
    h("section", { class: "sheet verdict", "data-state": check.verdict === "right" ? "safe" : check.verdict },
      h("h2", null, words[check.verdict] ?? check.verdict),
      facts([
        ["Walked", `${moment(at)}, ${count(check.walks, "time")}, ${Math.round(check.ms)} ms`],
        ["Nodes", `${count(check.nodes, "node")} answered`],
        ["Tokens", `${check.on_ring.toLocaleString("en")} of ${check.tokens.toLocaleString("en")} on the ring`],
        ["Silent", check.silent.length > 0 ? String(check.silent.length) : null],
        ["Not asked", check.unasked > 0 ? String(check.unasked) : null],
      ])),
    check.flaws.length > 0 && h("section", { class: "sheet" },
      h("h2", null, "What is wrong"),
      h("p", { class: "soft" }, "While nodes come and go, pointers lag for seconds. Walk again before you worry."),
      h("ul", { class: "list" }, check.flaws.map((flaw) => h("li", { class: "wrap" }, h("span", { class: "tag" }, flaw.kind.replaceAll("_", " ")), " ", sentence(flaw.message))))),
    check.silent.length > 0 && h("section", { class: "sheet" },
      h("h2", null, "Silent nodes"),
      h("ul", { class: "list" }, check.silent.map((node) =>
        h("li", null, `${node.addr} (${short(node.id)}): `, node.pointers > 0 ? `${count(node.pointers, "pointer")} still lead there` : "nothing leads there any more")))),
    h("details", { class: "sheet" },
      h("summary", null, "The nodes that answered"),
      h("ul", { class: "list" }, check.heard.map((node) => h("li", null, h("code", null, short(node.id)), ` ${node.addr}, ${count(node.tokens, "token")}`)))),
  ];
}
