// Who gets in: whoever has the link, once; and no page of another origin, whatever it tries.

import { createServer } from "node:http";

import { is, over, until, watchedPage } from "./watched.mjs";

export async function access({ browser, nodes, node }) {
  const page = await watchedPage(browser, { width: 1440, host: node.http });
  const refused = "401 (Unauthorized)";
  page.expected.push(refused);
  await page.goto(`http://${node.http}/`);
  await page.waitForSelector("text=This page needs a link");
  const link = nodes.link(node);
  await page.goto(link);
  await page.reload();
  await page.waitForSelector(".ring .arc");
  is(!page.url().includes(link.split("#")[1]), "the link does not stay in the address");
  is((await page.evaluate(() => document.cookie)) === "", "no script can read the cookie");
  await page.reload();
  await page.waitForSelector(".ring .arc");

  const again = await watchedPage(browser, { width: 1440, host: node.http });
  again.expected.push(refused);
  await again.goto(link);
  await again.waitForSelector("text=was used before");
  await over(again, "a used link");

  await elsewhere(page, node);
  await page.click("#sign-out");
  await page.waitForSelector("text=This page needs a link");
  await page.reload();
  await page.waitForSelector("text=This page needs a link");
  await over(page, "access");
}

/** A page of another port of this machine, in the very browser that has the session. */
async function elsewhere(page, node) {
  const server = createServer((_, response) => {
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end("<!doctype html><link rel=icon href=data:,><title>elsewhere</title>");
  });
  await new Promise((started) => server.listen(0, "127.0.0.1", started));
  const other = await page.context().newPage();
  await other.goto(`http://127.0.0.1:${server.address().port}/`);
  const tried = await other.evaluate(async (host) => {
    const attempt = (path, options) => fetch(`http://${host}${path}`, { credentials: "include", ...options }).then((answer) => answer.status, () => "refused");
    const framed = await new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.onload = () => setTimeout(() => done(frame.contentWindow.length), 100);
      frame.src = `http://${host}/`;
      document.body.append(frame);
      setTimeout(() => done(0), 1000);
    });
    return {
      framed,
      read: await attempt("/v1/status"),
      written: await attempt("/v1/files?name=stolen", { method: "PUT", body: "x", mode: "no-cors" }),
      posted: await attempt("/v1/session", { method: "POST", body: "{}", mode: "no-cors" }),
    };
  }, node.http);
  is(tried.read === "refused", "another origin reads nothing");
  is(tried.written === "refused", "another origin writes nothing");
  is(tried.posted === 0 || tried.posted === "refused", "another origin learns nothing of a session");
  await other.close();
  server.close();
  const known = await page.evaluate(async () => (await fetch("/v1/stat?name=stolen")).status);
  is(known === 401, "without the token not even the own origin reads");
  await until("the page still lives", async () => (await page.locator(".ring .arc").count()) > 0);
}
