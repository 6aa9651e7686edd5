// Owns the past of one incident: its state after each event, from which every panel can show any moment.
//
// Snapshots of the state are kept every few hundred events, and the newest events themselves. A moment is the snapshot before it
// and the events after that. Of a very long incident the older events are gone: there, a moment is the nearest snapshot.

import { keptEvent } from './contract.js';
import { fold } from './fold.js';

/** Events between two snapshots. */
const APART = 200;
/** So many of the newest events are kept, a snapshot at the first of them. */
const MOST_EVENTS = 5000;
/** Beyond this number, every second of the older snapshots is dropped. */
const MOST_SNAPSHOTS = 120;

/**
 * @typedef {import('./fold.js').IncidentState} IncidentState
 * @typedef {{count: number, reached_s: number, state: IncidentState}} Snapshot
 */

export class Timeline {
  /** Events so far. */
  count = 0;
  /** @type {{event: import('./contract.js').Envelope, reached_s: number}[]} */
  #events = [];
  /** @type {Snapshot[]} */
  #snapshots = [];
  /** The second of the incident that its events have reached: never falls, so that it can be searched. */
  #reached_s = -Infinity;
  /** The moment that was asked for last. */
  #known = null;

  /**
   * @param {import('./contract.js').Envelope} event that has changed the state
   * @param {IncidentState} state after it
   */
  take(event, state) {
    this.count += 1;
    this.#reached_s = Math.max(this.#reached_s, state.offset_s);
    const reached_s = this.#reached_s;
    this.#events.push({ event: keptEvent(event), reached_s });
    if (this.count % APART === 1) this.#snapshots.push({ count: this.count, reached_s, state: structuredClone(state) });
    if (this.#events.length >= MOST_EVENTS + APART) this.#events.splice(0, APART);
    if (this.#snapshots.length > MOST_SNAPSHOTS) this.#thin();
  }

  /** The second of its first event: that may be long before the impact. 0 as long as there is none. */
  get first_s() {
    return this.#snapshots[0]?.reached_s ?? 0;
  }

  /** The events before this one are no longer kept. */
  get #dropped() {
    return this.count - this.#events.length;
  }

  /**
   * How many events had happened at a second of the incident, at least 1.
   * @param {number} offset_s
   */
  countAt(offset_s) {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle].reached_s <= offset_s) low = middle + 1;
      else high = middle;
    }
    if (low > 0 || this.#dropped === 0) return Math.max(1, this.#dropped + low);
    return this.#before((snapshot) => snapshot.reached_s <= offset_s).count;
  }

  /**
   * The state after this many events.
   * @param {number} count from 1 to all
   * @returns {IncidentState}
   */
  stateAfter(count) {
    if (this.#known?.count !== count) this.#known = { count, state: this.#fold(count) };
    return this.#known.state;
  }

  /**
   * The second of the incident that was reached after this many events.
   * @param {number} count
   */
  secondAfter(count) {
    const kept = this.#events[Math.min(Math.max(1, count), this.count) - 1 - this.#dropped];
    return kept?.reached_s ?? this.#before((snapshot) => snapshot.count <= count).reached_s;
  }

  /**
   * The nearest number of events, before or after, that can be shown exactly.
   * @param {number} count
   * @param {number} by 1 for the next one, -1 for the one before
   */
  step(count, by) {
    const next = Math.min(this.count, Math.max(1, count + by));
    if (next > this.#dropped) return next;
    const later = this.#snapshots.find((snapshot) => snapshot.count > count);
    if (by > 0) return later?.count ?? this.count;
    return this.#before((snapshot) => snapshot.count < count).count;
  }

  #fold(count) {
    const snapshot = this.#before((one) => one.count <= count);
    const board = { incidents: [structuredClone(snapshot.state)] };
    const from = snapshot.count - this.#dropped;
    if (from >= 0) {
      for (const { event } of this.#events.slice(from, count - this.#dropped)) fold(board, event);
    }
    return board.incidents[0];
  }

  #before(fits) {
    return this.#snapshots.findLast(fits) ?? this.#snapshots[0];
  }

  /** The first one stays, and those from which kept events are folded. */
  #thin() {
    const needed = this.#snapshots.findLast(({ count }) => count <= this.#dropped + 1)?.count ?? 0;
    this.#snapshots = this.#snapshots.filter(({ count }, place) => count >= needed || place % 2 === 0);
  }
}
