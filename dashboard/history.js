// Owns what an incident's state forgets: its feed entries and metric samples, in the order they came.

import { readData } from './contract.js';

/** Beyond these, the oldest entries go and samples are thinned out: a page may stay open for weeks. */
const MOST_ENTRIES = 5000;
const MOST_SAMPLES = 1200;

/**
 * @typedef {object} Entry one row of the feed
 * @property {number} position
 * @property {number} index
 * @property {string} type
 * @property {string} phase
 * @property {boolean} live it arrived as it happened, not in a replay
 * @property {object} data the payload
 *
 * @typedef {object} Gap positions that will never come
 * @property {{from: number, to: number}} gap
 *
 * @typedef {{offset_s: number, phase: string, values: Record<string, number>}} Sample
 */

export class History {
  /** @type {(Entry | Gap)[]} */
  entries = [];
  /** How many entries were dropped at the front: entry `i` is number `dropped + i` of all. */
  dropped = 0;
  /** @type {Sample[]} */
  samples = [];
  #byIndex = new Map();

  /**
   * @param {import('./contract.js').Envelope} event
   * @param {number} position
   * @param {boolean} live
   * @param {string} phase the incident's phase after the event
   */
  take(event, position, live, phase) {
    const data = readData(event);
    if (!data) return;
    if (event.type === 'system_metrics') this.#sample(data);
    else this.#add({ position, index: data.index, type: event.type, phase, live, data });
  }

  /**
   * Marks where events are missing.
   * @param {number} from
   * @param {number} to
   */
  gap(from, to) {
    this.#add({ gap: { from, to } });
  }

  /**
   * @param {number} index
   * @returns {Entry | undefined} the entry of that event, if it is one of the feed's and still kept
   */
  entry(index) {
    return this.#byIndex.get(index);
  }

  #add(entry) {
    this.entries.push(entry);
    if (entry.index) this.#byIndex.set(entry.index, entry);
    if (this.entries.length > MOST_ENTRIES) {
      this.#byIndex.delete(this.entries.shift().index);
      this.dropped += 1;
    }
  }

  #sample(data) {
    const values = { ...data.metrics };
    if (data.users_affected !== undefined) values.users_affected = data.users_affected;
    if (data.cost) values.cost_per_minute = data.cost.per_minute;
    this.samples.push({ offset_s: data.offset_s, phase: data.phase, values });
    // Every other one goes, the newest stays: the curve keeps its shape.
    if (this.samples.length > MOST_SAMPLES) this.samples = this.samples.filter((_, place) => place % 2 === 0);
  }
}
