// A page that is watched while it is tested: nothing may be complained of in its console, and nothing
// asked of another host.

/** Opens a page and notes what it must not do. */
export async function watchedPage(browser, { width, height = 900, dark = false, host, motion = "no-preference" }) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? "dark" : "light",
    reducedMotion: motion,
    acceptDownloads: true,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.faults = [];
  /** Complaints that a test causes on purpose. */
  page.expected = [];
  const fault = (text) => {
    if (!page.expected.some((part) => text.includes(part))) page.faults.push(text);
  };
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) fault(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => fault(`error: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.host !== host && !["data:", "blob:"].includes(url.protocol)) fault(`asked ${request.url()}`);
  });
  return page;
}

/** Ends a page, and fails if it did what it must not. */
export async function over(page, name) {
  await page.context().close();
  if (page.faults.length > 0) throw new Error(`${name}: ${page.faults.join("; ")}`);
}

/** Whether something is so, asked again and again for a while. */
export async function until(what, isSo, patienceMs = 20000) {
  const end = Date.now() + patienceMs;
  for (;;) {
    if (await isSo()) return;
    if (Date.now() > end) throw new Error(`it never was so: ${what}`);
    await new Promise((go) => setTimeout(go, 50));
  }
}

export function is(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`);
}
