// Uploads: a few at a time, each with its progress, and an end that says how safe the file is.

import { address, ask, sessionChecked } from "./api.js";
import { pathOf } from "./browse.js";
import { fill, h } from "./dom.js";
import { sessionHeaders } from "./session.js";
import { Trouble, troubleBox, unreachable } from "./trouble.js";
import { size, span } from "./words.js";

const AT_ONCE = 2;

/** How often a person is asked again because somebody else was faster. */
const TRIES_MAX = 5;

/** A queue of uploads that is shown in a list; `onStored` is called after each. */
export class Uploads {
  constructor(onStored) {
    this.onStored = onStored;
    this.waiting = [];
    this.active = 0;
    this.list = h("ul", { class: "uploads" });
    this.clear = h("button", { type: "button", class: "quiet", onclick: () => this.sweep() }, "Clear the list");
    this.element = h("section", { class: "sheet", "aria-label": "Uploads", hidden: true },
      h("div", { class: "row" }, h("h2", { class: "grow" }, "Uploads"), this.clear), this.list);
  }

  /** Adds files, each `[file, name]`. */
  add(files) {
    for (const [file, name] of files) {
      const item = new Item(file, name);
      this.list.append(item.element);
      this.waiting.push(item);
    }
    this.element.hidden = this.list.children.length === 0;
    this.next();
  }

  get isBusy() {
    return this.active + this.waiting.length > 0;
  }

  sweep() {
    for (const row of [...this.list.children]) if (row.dataset.over) row.remove();
    this.element.hidden = this.list.children.length === 0;
  }

  async next() {
    while (this.active < AT_ONCE && this.waiting.length > 0) {
      const item = this.waiting.shift();
      if (item.isOver) continue;
      this.active += 1;
      item.run().then((stored) => {
        this.active -= 1;
        if (stored) this.onStored(stored);
        this.next();
      });
    }
  }
}

class Item {
  constructor(file, name) {
    this.file = file;
    this.name = name;
    this.isOver = false;
    this.said = h("span", { class: "soft small" }, "waits");
    this.inner = h("i");
    this.bar = h("span", { class: "bar", role: "progressbar", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0 }, this.inner);
    this.button = h("button", { type: "button", class: "quiet", onclick: () => this.cancel() }, "Cancel");
    this.more = h("div");
    this.element = h("li", null,
      h("div", { class: "row" }, h("strong", null, name), this.button), this.bar, this.said, this.more);
  }

  cancel() {
    this.request?.abort();
    this.isOver = true;
    this.end("cancelled; nothing of it is visible", "failed");
    this.answer?.(null);
  }

  end(words, kind) {
    this.isOver = true;
    this.element.dataset.over = "yes";
    this.said.textContent = words;
    this.bar.classList.add(kind);
    this.button.hidden = true;
  }

  /**
   * What must be true of the name for these bytes to be stored: nothing is there, or what is there is
   * what the person agreed to replace. Nothing where they did not.
   */
  async condition() {
    // A listing instead of a question for the file: that it is not there is no error.
    const [space, path] = split(this.name);
    const page = await ask("/v1/list", { space, prefix: path, limit: 1 });
    if (!page.files.some((file) => pathOf(file.name, space) === path)) return { if_absent: true };
    const { size: bytes, version } = await ask("/v1/stat", { name: this.name });
    const agreed = await new Promise((decide) => {
      this.answer = decide;
      this.said.textContent = "is stored already";
      fill(this.more, h("div", { class: "row", role: "alert" },
        h("span", { class: "small" }, `A file of ${size(bytes)} has this name.`),
        h("button", { type: "button", onclick: () => decide(true) }, "Replace it"),
        h("button", { type: "button", onclick: () => this.cancel() }, "Keep it")));
    });
    fill(this.more);
    return agreed ? { if_version: version } : null;
  }

  async run() {
    try {
      const stored = await this.store();
      if (stored === null) return null;
      const { durable, wanted } = stored.copies;
      this.progress(1);
      this.end(`${size(stored.size)} stored, ${durable} of ${wanted} copies on disk`, "done");
      return stored;
    } catch (error) {
      if (this.isOver) return null;
      this.end("not stored", "failed");
      fill(this.more, troubleBox(error));
      return null;
    }
  }

  /** Stores it; where somebody else changed the name meanwhile, the person is asked about that. */
  async store() {
    for (let tried = 0; ; tried += 1) {
      const condition = await this.condition();
      if (condition === null || this.isOver) return null;
      try {
        return await this.send(condition);
      } catch (error) {
        if (error.code !== "conflict" || this.isOver || tried >= TRIES_MAX) throw error;
        this.progress(0);
      }
    }
  }

  send(condition) {
    return new Promise((done, failed) => {
      const request = new XMLHttpRequest();
      this.request = request;
      const begun = performance.now();
      request.open("PUT", address("/v1/files", { name: this.name, modified_ms: this.file.lastModified, ...condition }));
      for (const [name, value] of Object.entries(sessionHeaders())) request.setRequestHeader(name, value);
      request.setRequestHeader("Content-Type", this.file.type || "application/octet-stream");
      request.upload.onprogress = ({ loaded, total }) => {
        const seconds = (performance.now() - begun) / 1000;
        const rate = loaded / Math.max(seconds, 0.001);
        this.progress(total === 0 ? 1 : loaded / total);
        const rest = loaded < total ? `, ${span((total - loaded) / rate)} left` : ", being made durable";
        this.said.textContent = `${size(loaded)} of ${size(total)} · ${size(rate)}/s${seconds > 1 ? rest : ""}`;
      };
      request.onload = () => {
        const answer = parsed(request.responseText);
        if (request.status === 200) done(answer);
        else failed(sessionChecked(new Trouble(answer ?? { message: `the node answered ${request.status}` })));
      };
      request.onerror = () => failed(unreachable());
      request.onabort = () => failed(new Trouble({ message: "cancelled" }));
      request.send(this.file);
    });
  }

  progress(part) {
    this.inner.style.width = `${part * 100}%`;
    this.bar.setAttribute("aria-valuenow", Math.round(part * 100));
  }
}

/** The space and the path of a full name. */
function split(name) {
  const colon = name.indexOf(":");
  return [name.slice(0, colon), name.slice(colon + 1)];
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The files in what was dropped, folders with all they hold, each `[file, path]`. */
export async function dropped(transfer) {
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [];
  const walk = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      files.push([file, entry.fullPath.replace(/^\//, "")]);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (some.length === 0) return;
      for (const inner of some) await walk(inner);
    }
  };
  for (const root of roots) await walk(root);
  return files;
}
