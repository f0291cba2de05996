// The page: who may see it, which view is shown, and what everybody hears of.

import { whenSessionIsOver } from "./api.js";
import { checkView } from "./check-view.js";
import { fill, h } from "./dom.js";
import { filesView, isUploading } from "./files-view.js";
import { known, pause, start, watch } from "./live.js";
import { nodesView } from "./nodes-view.js";
import { repairView } from "./repair-view.js";
import { ringView } from "./ring-view.js";
import { enter, signOut } from "./session.js";
import { timelineView } from "./timeline-view.js";
import { troubleBox } from "./trouble.js";

const VIEWS = {
  ring: ["Ring", ringView],
  files: ["Files", filesView],
  nodes: ["Nodes", nodesView],
  repair: ["Repair", repairView],
  check: ["Check", checkView],
  timeline: ["Timeline", timelineView],
};

const main = document.getElementById("main");
const views = document.getElementById("views");
const connection = document.getElementById("connection");
const announced = document.getElementById("news");
let shown = null;
let isInside = false;
let lastNews = 0;

function place() {
  const [name, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { name: name in VIEWS ? name : "ring", parameters: new URLSearchParams(query) };
}

function go(name, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  location.hash = `#/${name}${query ? `?${query}` : ""}`;
}

function show() {
  const { name, parameters } = place();
  shown?.end();
  shown = null;
  fill(views, Object.entries(VIEWS).map(([key, [title]]) =>
    h("a", { href: `#/${key}`, "aria-current": key === name ? "page" : null }, title)));
  if (known().scene === null) {
    const { failure } = known();
    fill(main, failure ? troubleBox(failure) : h("p", { class: "plain soft", role: "status" }, "Looking at the ring…"));
    return;
  }
  const [title, view] = VIEWS[name];
  shown = view(parameters, go);
  fill(main, shown.element);
  document.title = `${title} · ${known().scene.ring.name} · Chordal`;
}

/** What is the same in every view. */
function changed() {
  const { scene, state, failure, news } = known();
  connection.dataset.state = state;
  connection.textContent = { connecting: "connecting", live: "live", lost: "connection lost" }[state];
  connection.title = failure?.message ?? "";
  if (scene !== null) document.getElementById("ring-name").textContent = scene.ring.name;
  if (isInside && (shown === null || state === "lost") !== (main.dataset.waiting === "yes")) {
    main.dataset.waiting = shown === null || state === "lost" ? "yes" : "no";
  }
  if (isInside && shown === null) show();
  lost(state === "lost" && shown !== null ? failure : null);
  if (news.length > 0 && news[0].at !== lastNews) {
    announced.textContent = news.filter((item) => item.at === news[0].at).map((item) => item.text).join(". ");
    lastNews = news[0].at;
  }
}

let lostBox = null;

function lost(failure) {
  if (failure === null) {
    lostBox?.remove();
    lostBox = null;
  } else if (lostBox === null) {
    lostBox = h("div", { class: "lost" }, troubleBox(failure));
    main.prepend(lostBox);
  }
}

/** The page of somebody who has no session. */
function outside(trouble) {
  pause();
  shown?.end();
  shown = null;
  isInside = false;
  fill(views);
  connection.textContent = "";
  document.getElementById("sign-out").hidden = true;
  fill(main, h("div", { class: "plain stack" },
    h("h1", null, "This page needs a link"),
    trouble && troubleBox(trouble),
    h("p", null, "On the machine of this node run"),
    h("p", null, h("code", null, "chordal open")),
    h("p", { class: "soft" }, "It prints a link that works once and opens this page for a day, in this browser alone.")));
}

function themes() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const order = ["auto", "light", "dark"];
  const signs = { auto: "◐", light: "○", dark: "●" };
  const words = { auto: "system", light: "light", dark: "dark" };
  const current = () => root.dataset.theme ?? "auto";
  const say = () => {
    fill(button, h("span", { "aria-hidden": "true" }, signs[current()]), h("span", { class: "long" }, ` Colours: ${words[current()]}`));
    button.setAttribute("aria-label", `Colours: ${words[current()]}`);
  };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(current()) + 1) % order.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("chordal-theme", next);
    } catch {
      // Then it lasts as long as this page.
    }
    say();
  });
  say();
}

async function begin() {
  themes();
  document.getElementById("sign-out").addEventListener("click", async () => {
    await signOut();
    outside(null);
  });
  addEventListener("beforeunload", (event) => {
    if (isUploading()) event.preventDefault();
  });
  whenSessionIsOver(outside);
  watch(changed);
  try {
    if (!(await enter())) return outside(null);
  } catch (error) {
    return outside(error);
  }
  isInside = true;
  document.getElementById("sign-out").hidden = false;
  addEventListener("hashchange", () => {
    if (/^#[0-9a-f]{32}$/.test(location.hash)) return location.reload();
    if (!isInside) return;
    show();
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  });
  show();
  start();
}

begin();
