// Node's own `http`: an event stream is a response that is written to for each message.

import { createServer } from "node:http";

import { obey } from "./load.mjs";

const clients = new Set();

const server = createServer((_, response) => {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  response.flushHeaders();
  clients.add(response);
  response.on("close", () => clients.delete(response));
});
server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => console.log(server.address().port));

await obey((text) => {
  const block = Buffer.from(`data: ${text}\n\n`);
  for (const response of clients) response.write(block);
});
