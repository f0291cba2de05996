// A node that is none: the real page, and made-up answers in the API's own shapes.

import { createServer } from "node:http";

/** Serves `canned`, and the page of the node at `real`. */
export function fakeNode(canned, real) {
  const answers = {
    "/v1/timeline": canned.timeline,
    "/v1/where": canned.where,
    "/v1/risk": canned.risk,
    "/v1/list": { files: [], next: null, missing: [] },
    "/v1/session": { token: "0", seconds: 60 },
  };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://x");
    if (pathname === "/v1/events") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(`event: scene\ndata: ${JSON.stringify(canned.scene)}\n\n`);
      server.change = (nodes) => {
        const scene = { ...canned.scene, ring: { ...canned.scene.ring, nodes }, removed: [] };
        response.write(`event: change\ndata: ${JSON.stringify(scene)}\n\n`);
      };
      return;
    }
    if (pathname in answers) {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify(answers[pathname]));
      return;
    }
    const asset = await fetch(`http://${real}${pathname}`);
    const policy = asset.headers.get("content-security-policy");
    response.writeHead(asset.status, { "Content-Type": asset.headers.get("content-type"), "Content-Security-Policy": policy });
    response.end(Buffer.from(await asset.arrayBuffer()));
  });
  return new Promise((started) => {
    server.listen(0, "127.0.0.1", () => started(server));
  });
}
