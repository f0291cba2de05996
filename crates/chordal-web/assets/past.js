// The ring as it was, put together from what is and what happened.

import { shared } from "./geometry.js";

const AFTER = { appeared: "alive", recovered: "alive", suspected: "suspect", gone: "gone", left: "left" };
const BEFORE = { appeared: null, recovered: "suspect", suspected: "alive", gone: "alive", left: "alive" };

/** The nodes at a moment, as the drawing wants them. */
export function nodesAt(scene, timeline, at) {
  const nodes = new Map(scene.ring.nodes.map((node) => [node.id, { now: node, events: [] }]));
  for (const event of timeline.events) {
    const known = nodes.get(event.node) ?? { now: null, events: [] };
    known.events.push(event);
    nodes.set(event.node, known);
  }
  const were = [...nodes].map(([id, { now, events }]) => nodeAt(id, now, events, at)).filter(Boolean);
  were.sort((one, other) => (one.id < other.id ? -1 : 1));
  return shared(were);
}

function nodeAt(id, now, events, at) {
  const before = events.filter((event) => Date.parse(event.at) <= at).at(-1);
  const after = events.find((event) => Date.parse(event.at) > at);
  const state = before ? AFTER[before.what] : after ? BEFORE[after.what] : (now?.state ?? null);
  if (state === null) return null;
  const isMember = state === "alive" || state === "suspect";
  const places = [before, after].find((event) => event?.tokens.length > 0)?.tokens ?? now?.tokens.map((token) => token.at) ?? [];
  return {
    id,
    addr: before?.addr ?? after?.addr ?? now?.addr ?? "?",
    state,
    share: 0,
    tokens: isMember ? places.map((token) => ({ at: token })) : [],
    used_bytes: null,
    offered_bytes: now?.offered_bytes ?? 0,
    copies_wanted: null,
    handing_off: null,
  };
}
