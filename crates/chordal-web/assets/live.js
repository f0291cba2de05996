// The newest state of the ring: told by the node as it changes, kept here for every view.

import { open } from "./api.js";
import { happened, namer } from "./words.js";

const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

const watchers = new Set();
const news = [];
let scene = null;
let state = "connecting";
let failure = null;
let current = null;
let tries = 0;
let timer = null;

/** What is known: the scene, or nothing yet; whether it is live; the trouble, if it is not. */
export function known() {
  return { scene, state, failure, news };
}

/** Calls at every change from now on; returns how to end that. */
export function watch(act) {
  watchers.add(act);
  return () => watchers.delete(act);
}

function tell() {
  for (const act of [...watchers]) act();
}

function become(next, trouble = null) {
  state = next;
  failure = trouble;
  tell();
}

const CHANGES = { alive: "recovered", suspect: "suspected", gone: "gone", left: "left" };

/** Notes what a person should hear of: nodes that are not as they were. */
function note(before, nodes) {
  if (before === null) return;
  const old = new Map(before.ring.nodes.map((node) => [node.id, node.state]));
  const name = namer(scene.ring.nodes);
  for (const node of nodes) {
    const was = old.get(node.id);
    if (was === node.state) continue;
    const what = was === undefined ? "appeared" : (CHANGES[node.state] ?? node.state);
    news.unshift({ at: Date.now(), id: node.id, what, text: `${name(node.addr)} ${happened(what)}` });
  }
  news.length = Math.min(news.length, 20);
}

function take(kind, told) {
  const before = scene;
  if (kind === "scene" || scene === null) {
    scene = told;
  } else {
    const nodes = new Map(scene.ring.nodes.map((node) => [node.id, node]));
    for (const id of told.removed) nodes.delete(id);
    for (const node of told.ring.nodes) nodes.set(node.id, node);
    const all = [...nodes.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    scene = { ...told, ring: { ...told.ring, nodes: all } };
  }
  note(before, told.ring.nodes);
  tries = 0;
  become("live");
}

/** Reads events until the stream ends. */
async function read(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    let end = text.indexOf("\n\n");
    while (end >= 0) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data");
      if (data !== undefined) take(field("event"), JSON.parse(data));
      end = text.indexOf("\n\n");
    }
  }
}

async function follow() {
  const own = new AbortController();
  current = own;
  let trouble = null;
  try {
    const answer = await open("/v1/events", { signal: own.signal });
    await read(answer.body);
  } catch (error) {
    trouble = error;
  }
  if (current !== own) return;
  current = null;
  if (trouble?.code === "unauthorised") return;
  become("lost", trouble);
  timer = setTimeout(begin, PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]);
  tries += 1;
}

function begin() {
  clearTimeout(timer);
  if (current === null && !document.hidden) follow();
}

/** Ends the stream: a page that nobody sees keeps no connection. */
export function pause() {
  clearTimeout(timer);
  const ended = current;
  current = null;
  ended?.abort();
}

/** Begins to follow the ring, whenever the page is seen. */
export function start() {
  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : begin()));
  begin();
}
