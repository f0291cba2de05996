// Files: in by choosing and by dropping, out by the browser's own download, and compared byte by byte.

import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { is, over, until, watchedPage } from "./watched.mjs";

const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");

export async function files({ browser, nodes, node, shots }) {
  const page = await watchedPage(browser, { width: 1440, host: node.http });
  const content = randomBytes(48 << 20);
  const name = "Ünï côde & 100%.bin";
  const path = join(nodes.home, name);
  writeFileSync(path, content);
  await page.goto(nodes.link(node));
  await page.waitForSelector(".ring .arc");
  await page.click('#views a[href="#/files"]');
  await page.evaluate(noteProgress);
  await page.setInputFiles("#file-choice", path);
  await page.waitForSelector("text=of 3 copies on disk");
  const progress = await page.evaluate(() => window.progress);
  is(progress.some((part) => part > 0 && part < 100), `progress is shown: ${progress.join(" ")}`);
  await page.waitForSelector(`button.link:has-text("${name}")`);

  await page.click(`button.link:has-text("${name}")`);
  await page.waitForSelector("text=Copies: 3 of 3 on disk");
  is((await page.locator(".ring .holder.durable").count()) === 3, "its three holders are drawn");
  if (shots) await page.screenshot({ path: join(shots, "details.png") });
  const [saved] = await Promise.all([page.waitForEvent("download"), page.click("aside button:has-text('Download')")]);
  is(saved.suggestedFilename() === name, `the name is kept: ${saved.suggestedFilename()}`);
  is(hash(readFileSync(await saved.path())) === hash(content), "what comes out is what went in");
  is(hash(Buffer.from(await read(nodes, name))) === hash(content), "for everybody");

  await drop(page);
  await until("a dropped file is stored", async () => {
    try {
      return nodes.run(node, "cat", "dropped/inner.txt") === "dropped text";
    } catch {
      return false; // Not yet.
    }
  });
  await page.waitForSelector('tr:has-text("dropped")');

  // The same name again: nothing is replaced unless that is said.
  await page.setInputFiles("#file-choice", path);
  await page.waitForSelector("text=has this name");
  await page.click("text=Keep it");
  await replaced(page, nodes, node);
  await page.click(`tr:has-text("${name}") button.link`);
  await page.click("aside button:has-text('Delete…')");
  await page.click("dialog button:has-text('Cancel')");
  await page.click("aside button:has-text('Delete…')");
  await page.click("dialog button:has-text('Delete')");
  await until("it is gone", async () => (await page.locator(`td button.link:has-text("${name}")`).count()) === 0);
  await over(page, "files");
}

/** Runs in the page: notes what the bars of uploads show. */
function noteProgress() {
  window.progress = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) window.progress.push(Number(target.getAttribute("aria-valuenow")));
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["aria-valuenow"] });
}

/** A name that somebody else takes while bytes are under way: the person is asked before it is replaced. */
async function replaced(page, nodes, node) {
  const [ours, theirs] = [join(nodes.home, "raced.txt"), join(nodes.home, "theirs.txt")];
  writeFileSync(ours, "ours");
  const put = (text) => {
    writeFileSync(theirs, text);
    nodes.run(node, "put", theirs, "--as", "raced.txt");
  };
  const stored = () => nodes.run(node, "cat", "raced.txt");
  // Browsers write every answer that is no success to the console.
  page.expected.push("412");
  const conditions = [];
  await page.route((url) => url.pathname === "/v1/files", async (route) => {
    const { searchParams } = new URL(route.request().url());
    if (route.request().method() === "PUT") {
      conditions.push(searchParams.get("if_absent") ?? searchParams.get("if_version"));
      if (conditions.length <= 2) put(`theirs ${conditions.length}`);
    }
    await route.continue();
  });
  await page.setInputFiles("#file-choice", ours);
  await page.waitForSelector("text=A file of 8 B has this name");
  is(stored() === "theirs 1", "what came first is kept");
  await page.click("text=Replace it");
  await until("the newer version is asked about", async () => conditions.length === 2 && (await page.locator("text=Replace it").count()) === 1);
  is(stored() === "theirs 2", "only the version seen is replaced");
  await page.click("text=Replace it");
  await until("it is replaced", async () => stored() === "ours");
  is(conditions[0] === "true" && conditions[1] !== conditions[2], `the conditions: ${conditions.join(", ")}`);
  await page.unroute((url) => url.pathname === "/v1/files");
}

/** The file by the command line, at another node. */
async function read(nodes, name) {
  const path = join(nodes.home, "copy.bin");
  nodes.run(nodes.all[2], "get", name, path);
  return readFileSync(path);
}

/** Drops a file as a person would; its path is that of a folder's file. */
async function drop(page) {
  await page.evaluate(async () => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["dropped text"], "inner.txt", { type: "text/plain" }));
    // A folder cannot be made up here: one file that says where it lies stands for it.
    const file = transfer.files[0];
    const entry = { isFile: true, fullPath: "/dropped/inner.txt", file: (done) => done(file) };
    const event = new Event("drop", { bubbles: true, cancelable: true });
    event.dataTransfer = { items: [{ webkitGetAsEntry: () => entry }] };
    document.querySelector(".drop").dispatchEvent(event);
  });
}
