// A node is killed while somebody watches: it is shown as such, said, and noted.

import { join } from "node:path";

import { is, over, until, watchedPage } from "./watched.mjs";

export async function death({ browser, nodes, node, victim, shots }) {
  const page = await watchedPage(browser, { width: 1440, host: node.http });
  await page.goto(nodes.link(node));
  await page.waitForSelector(`.ring .arc[data-id="${victim.id}"][data-state="alive"]`);
  const begun = Date.now();
  nodes.kill(victim);
  await page.waitForSelector(`.ring .arc[data-id="${victim.id}"][data-state="suspect"]`);
  const took = ((Date.now() - begun) / 1000).toFixed(1);
  await until("it is announced", async () => (await page.textContent("#news")).includes("does not answer"));
  if (shots) await page.screenshot({ path: join(shots, "death.png") });
  await page.click('#views a[href="#/timeline"]');
  await page.waitForSelector("tbody tr:has-text('does not answer')");
  await page.click("text=Before >> nth=0");
  await until("the ring as it was is drawn", async () => {
    const state = await page.getAttribute(`.ring .arc[data-id="${victim.id}"]`, "data-state");
    return state !== null;
  });
  await page.focus("#moment");
  await page.keyboard.press("Home");
  await page.waitForSelector("text=at ");
  const before = await page.locator(`.ring .arc[data-id="${victim.id}"][data-state="suspect"]`).count();
  is(before === 0, "at the beginning it was not silent");
  if (shots) await page.screenshot({ path: join(shots, "past.png") });
  await page.click('#views a[href="#/nodes"]');
  await page.waitForSelector("tr:has-text('does not answer')");
  await page.click('#views a[href="#/check"]');
  await page.click("text=Walk the ring now");
  await page.waitForSelector("text=Walked");
  await page.click('#views a[href="#/repair"]');
  await page.waitForSelector("tr:has-text('does not answer')");
  if (shots) await page.screenshot({ path: join(shots, "repair-death.png") });
  await over(page, "death");
  return `shown after ${took} s`;
}
