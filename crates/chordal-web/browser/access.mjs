// Who gets in: whoever has the link, once; and no page of another origin, whatever it tries.

import { createServer } from "node:http";

import { is, over, until, watchedPage } from "./watched.mjs";

/** A name that somebody else has, and lets point to this machine. */
export const REBOUND = "rebound.test";

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
  await rebound(browser, nodes, node);
  await withoutToken(page);
  await page.click("#sign-out");
  await page.waitForSelector("text=This page needs a link");
  await page.reload();
  await page.waitForSelector("text=This page needs a link");
  await over(page, "access");
}

/** A page whose own name leads to the node: to the browser it is of one origin with it. */
async function rebound(browser, nodes, node) {
  // The page would come from elsewhere, with no policy of ours.
  const context = await browser.newContext({ bypassCSP: true });
  const other = await context.newPage();
  const port = node.http.split(":").at(-1);
  await other.goto(`http://${REBOUND}:${port}/`);
  const link = nodes.link(node).split("#")[1];
  const tried = await other.evaluate(async (link) => {
    const attempt = async (path, options) => (await (await fetch(path, options)).json()).code;
    return {
      read: await attempt("/v1/status"),
      written: await attempt("/v1/files?name=stolen", { method: "PUT", body: "x" }),
      entered: await attempt("/v1/session", { method: "POST", body: JSON.stringify({ link }) }),
    };
  }, link);
  await context.close();
  for (const [what, code] of Object.entries(tried)) is(code === "wrong_host", `a name that leads here: ${what} is ${code}`);
}

/** Scripts of the own origin that lack the token, though they have the cookie, change nothing. */
async function withoutToken(page) {
  const tried = await page.evaluate(async () => {
    const attempt = async (method, path, body) => (await fetch(path, { method, body })).status;
    return [
      await attempt("PUT", "/v1/files?name=stolen", "x"),
      await attempt("DELETE", "/v1/files?name=stolen"),
      await attempt("POST", "/v1/tickets", "{}"),
      await attempt("POST", "/v1/leave", "{}"),
      await attempt("DELETE", "/v1/session"),
    ];
  });
  is(tried.every((status) => status === 401), `without the token: ${tried.join(", ")}`);
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
