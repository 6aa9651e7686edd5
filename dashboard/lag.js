// Owns how far the page is behind the server: the time up to which it may show numbers, and what it still has to receive.

import { millis } from './timemap.js';

/** A page that is further behind than this says so. */
const BEHIND_MS = 2000;
/**
 * What is on its way comes without a pause: after so many rounds in which nothing came, a page that was late has all that there is.
 * It takes two, because a page that was busy finds the first one over before it has looked at what came meanwhile.
 */
const ROUND_MS = 250;
const QUIET_ROUNDS = 2;

export class Lag {
  #stream;
  #clock;
  #changed;
  /** Time of the newest event, and by how much the last live one was late. */
  #newest = null;
  #late_ms = 0;
  /** Rounds since the last live event, counted while it was late. */
  #quiet = 0;
  #timer = 0;
  #frozen_ms = null;

  /**
   * @param {import('./stream.js').Stream} stream
   * @param {import('./clock.js').ServerClock} clock
   * @param {() => void} changed
   */
  constructor(stream, clock, changed) {
    this.#stream = stream;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** A connection begins. */
  opened() {
    this.#late_ms = 0;
    this.#frozen_ms = null;
  }

  /** A message of the server itself comes after every event before it, so nothing is late any more. */
  beat() {
    this.#late_ms = 0;
  }

  /**
   * @param {import('./contract.js').Envelope} event
   * @param {boolean} live
   */
  took({ time, subject = '' }, live) {
    this.#newest = time;
    if (!live) return;
    this.#late_ms = this.#clock.now() + this.#clock.apart(subject) - millis(time);
    this.#quiet = 0;
    if (this.#late_ms > BEHIND_MS) this.#timer ||= setTimeout(() => this.#round(), ROUND_MS);
  }

  /** The next heartbeat can be a while away: a page that has all events is not behind until then. */
  #round() {
    this.#timer = 0;
    if (this.#late_ms <= BEHIND_MS) return;
    this.#quiet += 1;
    if (this.#quiet < QUIET_ROUNDS) this.#timer = setTimeout(() => this.#round(), ROUND_MS);
    else {
      this.#late_ms = 0;
      this.#changed();
    }
  }

  /** Stops the clock until the connection is back. */
  freeze() {
    this.#frozen_ms ??= this.now();
  }

  /** The server's time, but no later than a heartbeat after what the page knows: beyond that a number would be made up. */
  now() {
    if (this.#frozen_ms !== null) return this.#frozen_ms;
    const now = this.#clock.now();
    const { caughtUp, vouched = 0, heartbeat = 0 } = this.#stream;
    if (caughtUp || this.#newest === null) return now + Math.min(0, vouched);
    return Math.min(now, millis(this.#newest) + heartbeat);
  }

  /** @returns {{seconds: number, done: number, total: number} | null} `null` while the page shows the present */
  behind() {
    const { connection, caughtUp, progress } = this.#stream;
    if (connection.state !== 'live' || this.#newest === null || !progress) return null;
    const behind_ms = caughtUp ? this.#late_ms : this.#clock.now() - millis(this.#newest);
    return behind_ms > BEHIND_MS ? { seconds: behind_ms / 1000, ...progress } : null;
  }
}
