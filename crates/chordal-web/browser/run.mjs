// Drives the dashboard in a headless browser. Run by `cargo xtask browser`, with in the environment:
// CHORDAL (the program), CHROMIUM, MODULES (a folder with node_modules), CANNED (a file with what a ring
// of 300 nodes tells), and perhaps SHOTS (a folder for pictures).

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { REBOUND, access } from "./access.mjs";
import { files } from "./files.mjs";
import { large } from "./large.mjs";
import { Nodes } from "./nodes.mjs";
import { death } from "./death.mjs";
import { everyView } from "./views.mjs";

const { CHORDAL, CHROMIUM, MODULES, CANNED, SHOTS } = process.env;
const { chromium } = createRequire(join(MODULES, "x.js"))("playwright-core");

const begun = Date.now();
const seconds = () => ((Date.now() - begun) / 1000).toFixed(1);
const alone = new Nodes(CHORDAL);
const five = new Nodes(CHORDAL);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`] });
let failed = 0;
let passed = 0;

async function test(name, run) {
  try {
    const said = await run();
    passed += 1;
    console.log(`ok    ${seconds()}s  ${name}${said ? `: ${said}` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${seconds()}s  ${name}: ${error.stack}`);
  }
}

try {
  await alone.add();
  const first = await five.add(["--grace", "60s"]);
  await Promise.all([1, 2, 3, 4].map(() => five.add(["--grace", "60s"])));
  const canned = JSON.parse(readFileSync(CANNED, "utf8"));
  const of = { browser, shots: SHOTS };
  await Promise.all([
    test("a ring of one node, every view", () => everyView({ ...of, nodes: alone, node: alone.all[0], count: 1 })),
    test("a ring of five nodes, every view", () => everyView({ ...of, nodes: five, node: first, count: 5 })),
    test("a ring of 300 nodes", () => large({ ...of, canned, real: first.http })),
  ]);
  await Promise.all([
    test("who gets in", () => access({ ...of, nodes: alone, node: alone.all[0] })),
    test("files go in and out", () => files({ ...of, nodes: five, node: first })),
  ]);
  await test("a node is killed while watched", () => death({ ...of, nodes: five, node: first, victim: five.all[3] }));
} finally {
  await browser.close();
  alone.end();
  five.end();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
