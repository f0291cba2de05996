// Every view, narrow and wide, light and dark: it shows what it is for, fits, and complains of nothing.

import { join } from "node:path";

import { allReached, byKeyboard, legible } from "./legible.mjs";
import { is, over, until, watchedPage } from "./watched.mjs";

const SHOWS = {
  ring: ".ring .arc",
  files: "text=is empty",
  nodes: "tbody tr >> nth=0",
  repair: "text=Safe to unplug",
  check: "text=any one node dies",
  timeline: "input[type=range]",
};

export async function everyView({ browser, nodes, node, count, shots }) {
  for (const [width, dark] of [[390, true], [390, false], [1440, true], [1440, false]]) {
    const page = await watchedPage(browser, { width, dark, host: node.http });
    await page.goto(nodes.link(node));
    await until(`${count} nodes are drawn`, async () => (await page.locator(".ring .arc").count()) === count);
    for (const [view, shows] of Object.entries(SHOWS)) {
      await byKeyboard(page, view);
      await page.waitForSelector(shows);
      await legible(page, `${view} ${width} ${dark ? "dark" : "light"}`);
      if (!dark) await allReached(page, view);
      const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
      is(fits, `${view} fits ${width} pixels`);
      is((await page.locator("h1").count()) === 1, `${view} has one heading`);
      if (shots) await page.screenshot({ path: join(shots, `${view}-${count}-${width}-${dark ? "dark" : "light"}.png`), fullPage: true });
    }
    await keyboard(page, count);
    await over(page, `${width} ${dark ? "dark" : "light"}`);
  }
}

/** The drawing is read with the arrow keys. */
async function keyboard(page, count) {
  await page.click('#views a[href="#/ring"]');
  await page.focus(".ring");
  await page.keyboard.press("ArrowRight");
  await page.waitForSelector(".ring .arc.picked");
  if (count > 1) is((await page.locator(".ring .owned").count()) > 0, "the keys of the picked node are drawn");
  await page.keyboard.press("Escape");
  await until("nothing is picked", async () => (await page.locator(".ring .arc.picked").count()) === 0);
}
