// Replays a recording to everyone over WebSocket: node replay.mjs RECORDING [FAULT]. Prints its port. NODE_TOOLS is the folder
// in which `ws` is installed.
//
// Faults: lose (an event), swap (two events), repeat (an event), break (the text of an event), close (with code 1011).

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(`${process.env.NODE_TOOLS}/`)("ws");
const [recording, fault] = process.argv.slice(2);
const lines = readFileSync(recording, "utf8").trimEnd().split("\n");
const stream = JSON.parse(lines[0]).source.split("/")[2];
const head = lines.length;

function told() {
  const middle = Math.floor(head / 2);
  const told = [...lines];
  if (fault === "lose") told.splice(middle, 1);
  if (fault === "swap") [told[middle], told[middle + 1]] = [told[middle + 1], told[middle]];
  if (fault === "repeat") told.splice(middle, 0, told[middle]);
  if (fault === "break") told[middle] = told[middle].slice(0, -2);
  return fault === "close" ? told.slice(0, middle) : told;
}

const time = "2026-11-22T10:00:00Z";
const control = (type, data) =>
  JSON.stringify({ specversion: "1.0", id: "1", source: "/servers/node", type, time, data });
const greeting = (follows) =>
  control("stream_opened", {
    contract: "1.0", stream, head, oldest: 1, follows, heartbeat_ms: 1000, server_time: time,
  });

const server = createServer();
const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => offered.values().next().value });

server.on("upgrade", (request, socket, rest) => {
  const after = new URL(request.url, "http://localhost").searchParams.get("after");
  const [name, number] = after?.split("/") ?? [];
  if (after !== null && !(/^[0-9]+$/.test(number ?? "") && BigInt(number) < 2n ** 53n)) {
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  sockets.handleUpgrade(request, socket, rest, (client) => {
    const reset = name !== stream ? "other-stream" : "ahead";
    if (after === null) {
      client.send(greeting({ kind: "started", from: 1, to: head }));
      told().forEach((line) => client.send(line));
      if (fault === "close") return client.close(1011, "no more");
    } else if (name !== stream || Number(number) > head) {
      client.send(greeting({ kind: "reset", reason: reset, from: head + 1, to: head }));
    } else {
      client.send(greeting({ kind: "resumed", from: Number(number) + 1, to: head }));
      lines.slice(Number(number)).forEach((line) => client.send(line));
    }
    const beat = () => client.send(control("heartbeat", { stream, head, state: "playing" }));
    beat();
    const beats = setInterval(beat, 500);
    client.on("close", () => clearInterval(beats));
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
