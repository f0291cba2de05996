// Files: browse a space by folder, search by the beginning of a name, store, fetch, delete.

import { entries } from "./browse.js";
import { details, download } from "./details.js";
import { fill, h } from "./dom.js";
import { troubleBox } from "./trouble.js";
import { Uploads, dropped } from "./upload.js";
import { moment, size } from "./words.js";

const SPACES_KEPT = "chordal-spaces";

/** Uploads go on while other views are shown. */
let uploads = null;
let onStored = () => {};

function spaces() {
  try {
    const kept = JSON.parse(localStorage.getItem(SPACES_KEPT) ?? "[]");
    return [...new Set(["main", ...kept])];
  } catch {
    return ["main"];
  }
}

function keepSpace(space) {
  try {
    localStorage.setItem(SPACES_KEPT, JSON.stringify([...new Set([space, ...spaces()])].slice(0, 20)));
  } catch {
    // Then it is typed again.
  }
}

export function filesView(parameters, go) {
  const space = parameters.get("space") || "main";
  const folder = parameters.get("folder") ?? "";
  const state = { search: "", picked: parameters.get("file"), found: null, asked: 0 };
  let shown = null;
  uploads ??= new Uploads((stored) => onStored(stored));
  onStored = () => load();

  const list = h("div", { class: "drop" });
  const side = h("aside", { class: "stack nearer", "aria-label": "Uploads and details" });
  const columns = h("div", { class: "columns alone" },
    h("div", { class: "stack" }, list, h("p", { class: "hint" }, "Files and folders can be dropped on the list.")), side);
  const full = (path) => `${space}:${path}`;
  const search = h("input", { type: "search", id: "file-search", placeholder: folder ? `in ${folder}` : "beginning of a name", oninput: () => {
    state.search = search.value;
    load();
  } });
  const chosen = h("input", { type: "file", multiple: true, id: "file-choice", class: "visually-hidden", tabindex: "-1", onchange: () => {
    store([...chosen.files].map((file) => [file, file.name]));
    chosen.value = "";
  } });
  const spaceInput = h("input", { type: "text", id: "space", value: space, list: "spaces", autocomplete: "off", spellcheck: "false", onchange: () => {
    const wanted = spaceInput.value.trim() || "main";
    if (wanted !== space) go("files", { space: wanted });
  } });

  function store(files) {
    uploads.add(files.map(([file, path]) => [file, full(folder + path)]));
    columns.classList.remove("alone");
  }

  async function load() {
    state.asked += 1;
    const asked = state.asked;
    try {
      const found = await entries(space, folder, state.search);
      if (asked !== state.asked) return;
      state.found = found;
      keepSpace(space);
      draw();
    } catch (error) {
      if (asked === state.asked) fill(list, troubleBox(error));
    }
  }

  async function more() {
    const found = await entries(space, folder, state.search, state.found.next);
    state.found = { ...found, folders: [...state.found.folders, ...found.folders], files: [...state.found.files, ...found.files] };
    draw();
  }

  function pick(path) {
    shown?.end();
    state.picked = path;
    shown = path === null ? null : details(full(path), {
      go,
      onClose: () => pick(null),
      onRemoved: () => {
        pick(null);
        load();
      },
    });
    fill(side, uploads.element, shown?.element);
    columns.classList.toggle("alone", uploads.element.hidden && shown === null);
    if (state.found) draw();
  }

  function draw() {
    const { folders, files, next, missing } = state.found;
    const late = missing.length > 0 && h("p", { class: "trouble", role: "alert" }, `Names may be lacking: ${missing.map((node) => node.addr).join(", ")} did not answer.`);
    if (folders.length + files.length === 0) {
      fill(list, late, empty(space, folder, state.search, () => chosen.click()));
      return;
    }
    fill(list, late, h("div", { class: "table-box cards" }, h("table", null,
      h("caption", { class: "visually-hidden" }, `Files in ${space}:${folder}`),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, "Name"), h("th", { scope: "col", class: "number" }, "Size"), h("th", { scope: "col" }, "Modified"), h("th", { scope: "col" }, h("span", { class: "visually-hidden" }, "Actions")))),
      h("tbody", null,
        folders.map((inner) => h("tr", null,
          h("td", { class: "name-cell whole" }, h("button", { type: "button", class: "link folder", onclick: () => go("files", { space, folder: inner.path }) }, inner.title)),
          h("td", { class: "number soft" }, "folder"), h("td"), h("td"))),
        files.map((file) => h("tr", { class: file.path === state.picked ? "picked" : null },
          h("td", { class: "name-cell whole" }, h("button", { type: "button", class: "link", onclick: () => pick(file.path) }, file.title)),
          h("td", { class: "number", "data-label": "Size" }, size(file.size)),
          h("td", { "data-label": "Modified" }, moment(file.modified)),
          h("td", { class: "number whole" }, h("button", { type: "button", class: "quiet", "aria-label": `Download ${file.title}`, onclick: () => fetchFile(full(file.path)) }, "Download"))))))),
    next !== null && h("p", { class: "row toolbar" }, h("button", { type: "button", onclick: more }, "Show more")));
  }

  async function fetchFile(name) {
    try {
      await download(name);
    } catch (error) {
      list.prepend(troubleBox(error));
    }
  }

  list.addEventListener("dragover", (event) => {
    event.preventDefault();
    list.classList.add("over");
  });
  list.addEventListener("dragleave", (event) => {
    if (!list.contains(event.relatedTarget)) list.classList.remove("over");
  });
  list.addEventListener("drop", async (event) => {
    event.preventDefault();
    list.classList.remove("over");
    store(await dropped(event.dataTransfer));
  });

  pick(state.picked);
  load();
  const element = h("div", null,
    h("div", { class: "view-head" }, h("h1", null, "Files"), path(space, folder, go)),
    h("div", { class: "row low toolbar" },
      h("div", { class: "field narrow" }, h("label", { for: "space" }, "Space"), spaceInput,
        h("datalist", { id: "spaces" }, spaces().map((value) => h("option", { value })))),
      h("div", { class: "field grow" }, h("label", { for: "file-search" }, "Search"), search),
      h("button", { type: "button", class: "main", onclick: () => chosen.click() }, "Upload files"), chosen),
    columns);
  return { element, end: () => {
    shown?.end();
    onStored = () => {};
  } };
}

function path(space, folder, go) {
  const parts = folder.split("/").filter(Boolean);
  const crumbs = parts.map((part, index) => {
    const to = `${parts.slice(0, index + 1).join("/")}/`;
    return index === parts.length - 1
      ? [h("span", null, "/"), h("span", { "aria-current": "page" }, part)]
      : [h("span", null, "/"), h("button", { type: "button", class: "link", onclick: () => go("files", { space, folder: to }) }, part)];
  });
  return h("nav", { class: "path", "aria-label": "Folder" },
    h("button", { type: "button", class: "link", onclick: () => go("files", { space }) }, `${space}:`), crumbs);
}

function empty(space, folder, search, choose) {
  if (search !== "") {
    return h("div", { class: "sheet empty" }, h("h2", null, "No name begins so"), h("p", null, "Names are compared exactly, letter by letter, from their beginning."));
  }
  return h("div", { class: "sheet empty" },
    h("h2", null, folder ? "Nothing is stored here" : `The space “${space}” is empty`),
    h("p", null, "Drop files here, or ", h("button", { type: "button", class: "link", onclick: choose }, "choose some"), ". In a terminal: ", h("code", null, "chordal put FILE")));
}

/** Whether leaving the page would cut an upload off. */
export function isUploading() {
  return uploads?.isBusy ?? false;
}
