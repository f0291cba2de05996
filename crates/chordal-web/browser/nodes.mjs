// Real nodes for the tests, each a process of the program, in a temporary home.

import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export class Nodes {
  constructor(program) {
    this.program = program;
    this.home = mkdtempSync(join(tmpdir(), "chordal-browser-"));
    this.all = [];
  }

  get env() {
    return { ...process.env, CHORDAL_HOME: join(this.home, "home"), CHORDAL_NODE: undefined, CHORDAL_LOG: "error" };
  }

  /** One more node, which joins the first. */
  async add(flags = []) {
    const join = this.all.length > 0 ? ["--join", this.all[0].ring] : [];
    const args = ["node", "127.0.0.1", "0", "--no-menu", "--offer", "2GiB", "--ring-name", "browser", ...flags, ...join];
    const child = spawn(this.program, args, { env: this.env, stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface({ input: child.stdout });
    for await (const line of lines) {
      const found = /^ready node=(\S+) ring=(\S+) http=(\S+)/.exec(line);
      if (found) {
        this.all.push({ child, id: found[1], ring: found[2], http: found[3] });
        return this.all.at(-1);
      }
    }
    throw new Error("a node did not start");
  }

  /** Runs a command to its end, and gives what it printed. */
  run(node, ...args) {
    return execFileSync(this.program, [...args, "--node", node.ring], { env: this.env }).toString();
  }

  /** A link to the dashboard of this node. */
  link(node) {
    return this.run(node, "open", "--no-browser").split("\n")[0];
  }

  /** As `kill -9` does. */
  kill(node) {
    node.child.kill("SIGKILL");
  }

  end() {
    for (const { child } of this.all) child.kill("SIGKILL");
    rmSync(this.home, { recursive: true, force: true, maxRetries: 5 });
  }
}
