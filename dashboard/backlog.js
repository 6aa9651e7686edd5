// Owns the reading of a long replay over HTTP. A browser hands over each message of a socket by itself, which takes it longer than
// all that the page does with the event; of an answer over HTTP it hands over hundreds at once.

import { breathe } from './breath.js';

/** A shorter replay comes through the socket. */
export const LONG = 2000;

/** So many at the end are left to the socket: a proxy may hold back the end of an answer that goes on. */
export const LEFT = 200;

/** A line of Server-Sent Events that has a frame. */
const DATA = 'data: ';

/**
 * Reads frames until one was enough.
 * @param {string} url of Server-Sent Events
 * @param {AbortSignal} signal
 * @param {(frame: string) => boolean} take `false` after the last frame that is wanted
 * @returns {Promise<void>} fails if the answer ends before
 */
export async function readBacklog(url, signal, take) {
  const response = await fetch(url, { signal, credentials: 'include' });
  if (!response.ok || !response.body) throw new Error(`${url} is answered with ${response.status}.`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const rest = breathe();
  let begun = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new Error(`${url} ends too early.`);
      const lines = (begun + decoder.decode(value, { stream: true })).split('\n');
      begun = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith(DATA) && !take(line.slice(DATA.length))) return;
      await rest();
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
