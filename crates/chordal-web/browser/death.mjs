// A node is killed while somebody watches: it is shown as such, said, and noted.

import { join } from "node:path";

import { is, over, until, watchedPage } from "./watched.mjs";

export async function death({ browser, nodes, node, victim, shots }) {
  const page = await watchedPage(browser, { width: 1440, host: node.http });
  await page.goto(nodes.link(node));
  await page.waitForSelector(`.ring .arc[data-id="${victim.id}"][data-state="alive"]`);
  const repair = await watchedPage(browser, { width: 1440, host: node.http });
  await repair.goto(nodes.link(node));
  await repair.waitForSelector(".ring .arc");
  await repair.click('#views a[href="#/repair"]');
  await repair.waitForSelector(".verdict[data-state='safe']");
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
  await repair.waitForSelector(`tr:has-text("${victim.ring}"):has-text("does not answer")`);
  await until("it is said whether another may be unplugged", async () => (await repair.textContent(".figures")).includes("not at the moment"));
  await givenUp(page, repair, nodes, node, victim);
  await over(repair, "repair while a node dies");
  await over(page, "death");
  return `shown after ${took} s`;
}

/** It is said that the node will not return: its arc ends, and its copies are made again while both pages watch. */
async function givenUp(page, repair, nodes, node, victim) {
  await page.click('#views a[href="#/ring"]');
  await page.waitForSelector(`.ring .arc[data-id="${victim.id}"][data-state="suspect"]`);
  nodes.run(node, "forget", victim.ring);
  await page.waitForSelector(`.ring .arc[data-id="${victim.id}"][data-state="gone"]`);
  await page.waitForSelector(".ring .cross");
  await repair.waitForSelector(".verdict[data-state='safe']:has-text('any one node may go')", { timeout: 40000 });
  await until("nobody is silent any more", async () => (await repair.locator(`tr:has-text("${victim.ring}")`).count()) === 0);
}
