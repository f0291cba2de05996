// Whether a page can be read and used by everybody: contrast as it is computed from what is drawn,
// names for whoever does not see it, and nothing that moves where less motion is asked for.

import { is } from "./watched.mjs";

/** The contrast that texts need (WCAG 2, level AA, for small ones). */
const CONTRAST_MIN = 4.5;

/** Fails where a text is hard to read, or a control has no name. */
export async function legible(page, where) {
  const { pale, nameless } = await page.evaluate(faults, CONTRAST_MIN);
  is(pale.length === 0, `${where}: pale are ${pale.join("; ")}`);
  is(nameless.length === 0, `${where}: without a name are ${nameless.join("; ")}`);
}

/** Runs in the page. */
function faults(least) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  canvas.canvas.width = canvas.canvas.height = 1;
  const chain = (element) => {
    const all = [];
    for (let one = element; one; one = one.parentElement) all.unshift(one);
    return all;
  };
  const paint = (colour, alpha = 1) => {
    canvas.globalAlpha = alpha;
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
  };
  const luminance = () => {
    const parts = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const contrast = (element, colour, more = 1) => {
    let opacity = more;
    paint(matchMedia("(prefers-color-scheme: dark)").matches ? "#000" : "#fff");
    for (const one of chain(element)) {
      const style = getComputedStyle(one);
      if (!one.ownerSVGElement) paint(style.backgroundColor);
      opacity *= Number(style.opacity);
    }
    // A number on a disc of its own.
    if (element.previousElementSibling?.localName === "circle") paint(getComputedStyle(element.previousElementSibling).fill);
    const behind = luminance();
    paint(colour, opacity);
    const before = luminance();
    return { ratio: (Math.max(before, behind) + 0.05) / (Math.min(before, behind) + 0.05), opacity };
  };
  const pale = new Map();
  const judge = (element, colour, text, more) => {
    const { ratio, opacity } = contrast(element, colour, more);
    // What fades in or out, or is put aside, is not there to be read.
    if (ratio < least && opacity > 0.75) pale.set(`${element.className.baseVal ?? element.className} "${text.slice(0, 20)}"`, ratio.toFixed(2));
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    const words = text.textContent.trim();
    if (words === "" || !element.checkVisibility() || element.closest(".visually-hidden, :disabled, title, option, datalist, noscript")) continue;
    const style = getComputedStyle(element);
    judge(element, element.ownerSVGElement ? style.fill : style.color, words);
  }
  for (const field of document.querySelectorAll("input[placeholder]")) {
    const style = getComputedStyle(field, "::placeholder");
    judge(field, style.color, field.placeholder, Number(style.opacity));
  }
  const name = (control) => (control.getAttribute("aria-label") ?? "") + [...(control.labels ?? [])].map((label) => label.textContent).join("") + control.textContent;
  const nameless = [...document.querySelectorAll("button, a, input, select, [tabindex='0'], [role=progressbar], [role=img]")]
    .filter((control) => control.checkVisibility() && control.tabIndex >= -1 && !control.classList.contains("visually-hidden") && name(control).trim() === "");
  return { pale: [...pale].map(([what, ratio]) => `${what} ${ratio}`), nameless: nameless.map((control) => control.outerHTML.slice(0, 80)) };
}

/** Goes to a view as somebody does who has no mouse: from the top by the tabulator, and with Enter. */
export async function byKeyboard(page, view) {
  await page.evaluate(() => document.activeElement?.blur());
  await page.evaluate(() => getSelection().collapse(document.body, 0));
  for (let step = 0; step < 40; step += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => ({
      href: document.activeElement?.getAttribute("href"),
      isSeen: getComputedStyle(document.activeElement).outlineStyle !== "none",
    }));
    if (at.href !== `#/${view}`) continue;
    is(at.isSeen, `where one is, is seen at the link to ${view}`);
    await page.keyboard.press("Enter");
    return;
  }
  throw new Error(`the tabulator never comes to ${view}`);
}

/** Whether everything that can be done in a view is reached by the tabulator. */
export async function allReached(page, where) {
  const wanted = await page.evaluate(() => {
    const all = [...document.querySelectorAll("main button, main a, main input, main select, main summary, main .ring")];
    const here = all.filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0);
    here.forEach((one) => one.setAttribute("data-reach", ""));
    document.getElementById("main").focus();
    return here.length;
  });
  for (let step = 0; step < wanted + 2; step += 1) {
    await page.keyboard.press("Tab");
    await page.evaluate(() => document.activeElement.removeAttribute("data-reach"));
  }
  const left = await page.evaluate(() => [...document.querySelectorAll("[data-reach]")].map((one) => one.outerHTML.slice(0, 80)));
  is(left.length === 0, `${where}: not reached by the tabulator: ${left.join("; ")}`);
}

/** What moves where less motion is asked for. */
export async function still(page) {
  const moving = await page.evaluate(() => document.getAnimations().map((one) => one.animationName ?? one.transitionProperty));
  is(moving.length === 0, `nothing moves: ${moving.join(", ")}`);
}
