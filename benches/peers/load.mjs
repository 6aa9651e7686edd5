// What the peers in Node share: the messages of the load, and the orders that come through standard input.

import { createInterface } from "node:readline";
import { setImmediate, setTimeout } from "node:timers/promises";

// Bytes of an event's `data`: as in ../common/message.rs.
const DATA_BYTES = 240;

// The wall clock in microseconds, which Date does not have.
const epoch = performance.timeOrigin;
function now() {
  const ms = epoch + performance.now();
  const micros = String(Math.floor((ms * 1000) % 1e6)).padStart(6, "0");
  return `${new Date(ms).toISOString().slice(0, 19)}.${micros}Z`;
}

// The text of one message; the load client holds it to its own, byte for byte.
function event(index) {
  const head =
    `{"offset_s":0,"synthetic":true,"phase":"load","agent":"bench",` +
    `"action":"hypothesis_updated","status":"completed","summary":"`;
  const data = `${head}${"x".repeat(DATA_BYTES - head.length - 2)}"}`;
  return (
    `{"specversion":"1.0","id":"${index}","source":"/streams/0000000000000000",` +
    `"type":"agent_action","subject":"load-00000","time":"${now()}","index":${index},"data":${data}}`
  );
}

// Calls `publish` with each message of all orders when it is due. The process ends with them.
export async function obey(publish) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [messages, rate] = line.split(" ").map(Number);
    const start = performance.now();
    for (let index = 1; index <= messages; index++) {
      // Counted from the start, so that lateness never adds up.
      const wait = rate > 0 ? start + ((index - 1) * 1000) / rate - performance.now() : 0;
      await (wait > 0 ? setTimeout(wait) : setImmediate());
      publish(event(index));
    }
  }
  process.exit();
}
