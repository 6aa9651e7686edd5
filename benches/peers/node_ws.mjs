// Node's `ws`, with the broadcast of its own documentation.

import { createRequire } from "node:module";

import { obey } from "./load.mjs";

// An import would not look where NODE_PATH says that it is installed.
const { WebSocketServer, WebSocket } = createRequire(import.meta.url)("ws");

const server = new WebSocketServer({
  host: "127.0.0.1",
  port: 0,
  backlog: 4096,
  perMessageDeflate: false,
});
server.on("listening", () => console.log(server.address().port));

await obey((text) => {
  const frame = Buffer.from(text);
  for (const client of server.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(frame, { binary: false });
  }
});
