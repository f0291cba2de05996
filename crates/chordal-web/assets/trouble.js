// What went wrong, in the node's own words: what happened, what is still true, what to do.

import { h, sentence as marked } from "./dom.js";
import { short } from "./words.js";

export class Trouble extends Error {
  constructor(problem) {
    super(problem.message);
    this.problem = problem;
  }

  get code() {
    return this.problem.code;
  }
}

/** The node itself could not be asked. */
export function unreachable() {
  return new Trouble({
    code: "connection",
    message: "the node does not answer",
    still_true: "What the ring stores is not affected; this page shows what was true last.",
    to_do: "Look whether the node runs with `chordal status`; this page tries again by itself.",
    missing: [],
  });
}

function ended(text) {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** Shows a trouble. */
export function troubleBox(error) {
  const problem = error?.problem ?? { message: String(error?.message ?? error) };
  const missing = (problem.missing ?? []).map((node) => `${short(node.node)} at ${node.addr}`);
  return h("div", { class: "trouble", role: "alert" },
    h("strong", null, marked(ended(problem.message))),
    missing.length > 0 && h("p", null, `Not answering: ${missing.join(", ")}.`),
    problem.still_true && h("p", null, marked(problem.still_true)),
    problem.to_do && h("p", { class: "soft" }, marked(problem.to_do)));
}
