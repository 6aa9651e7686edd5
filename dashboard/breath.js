// Owns how long work over many events goes on before the page draws and listens.

const SLICE_MS = 12;

/** A timer would wait 4 ms each time, a message does not. */
const channel = new MessageChannel();
const waiting = [];
channel.port1.onmessage = () => waiting.shift()?.();

/**
 * What a long loop calls again and again: it waits only if the loop has worked for a while.
 * @returns {() => Promise<void> | undefined}
 */
export function breathe() {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < SLICE_MS) return;
    await new Promise((go) => {
      waiting.push(go);
      channel.port2.postMessage(0);
    });
    since = performance.now();
  };
}
