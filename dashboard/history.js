// Owns what the state of an incident does not keep: its feed entries and its metric samples, in order of arrival.

import { isEventType, readData } from './contract.js';

/** A page may stay open for weeks. Beyond these numbers, the oldest entries are dropped and samples are thinned out. */
const MOST_ENTRIES = 5000;
const MOST_SAMPLES = 1200;
/** Of the payload of an unknown event, this many characters are kept. */
const MOST_TEXT = 400;

/**
 * @typedef {object} Entry one row of the feed
 * @property {number} position
 * @property {number} [index]
 * @property {string} type
 * @property {string} phase the incident's phase after the event
 * @property {boolean} live it arrived as it happened, not in a replay
 * @property {number} offset_s second of the incident
 * @property {any} data the payload; empty for an unknown event
 * @property {Unknown} [unknown] set when this page does not know the type
 *
 * @typedef {object} Unknown an event of a type that this page does not know
 * @property {string} text its payload as JSON, cut
 * @property {number} length of the whole payload, in characters
 * @property {string} [subject] the incident's id, when it is not the incident of this history
 *
 * @typedef {object} Gap positions that will never arrive
 * @property {{from: number, to: number}} gap
 *
 * @typedef {{offset_s: number, phase: string, values: Record<string, number>}} Sample
 */

export class History {
  /** @type {(Entry | Gap)[]} */
  entries = [];
  /** How many entries were dropped at the front. Entry `i` of the list is number `dropped + i` of all. */
  dropped = 0;
  /** @type {Sample[]} */
  samples = [];
  #byIndex = new Map();

  /**
   * @param {import('./contract.js').Envelope} event
   * @param {{position: number, live: boolean, phase: string, offset_s: number}} arrival
   */
  take(event, { position, live, phase, offset_s }) {
    const known = isEventType(event.type);
    const data = readData(event);
    if (known && !data) return;
    if (event.type === 'system_metrics') return this.#sample(data, phase, offset_s);
    const entry = { position, index: event.index, type: event.type, phase, live, offset_s };
    this.#add(known ? { ...entry, data } : { ...entry, data: {}, unknown: unknown(event) });
  }

  /**
   * Adds an event that cannot be assigned to an incident: it has no subject, or names an unknown incident.
   * @param {import('./contract.js').Envelope} event
   * @param {{position: number, live: boolean, phase: string, offset_s: number}} arrival
   */
  takeForeign(event, arrival) {
    this.#add({ ...arrival, type: event.type, data: {}, unknown: { ...unknown(event), subject: event.subject ?? '' } });
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
   * @returns {Entry | undefined} the entry of that event, if the feed has one and it is still kept
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

  #sample(data, phase, offset_s) {
    const values = { ...data.metrics };
    if (data.users_affected !== undefined) values.users_affected = data.users_affected;
    if (data.cost) values.cost_per_minute = data.cost.per_minute;
    this.samples.push({ offset_s, phase, values });
    // Every second sample is dropped and the newest one stays, so the curve keeps its shape.
    if (this.samples.length > MOST_SAMPLES) this.samples = this.samples.filter((_, place) => place % 2 === 0);
  }
}

function unknown({ data }) {
  const text = textOf(data);
  // Half of a surrogate pair at the cut would show as a replacement character.
  const cut = text.slice(0, MOST_TEXT).replace(/[\uD800-\uDBFF]$/, '');
  return { text: cut, length: text.length };
}

/** Nested deep enough, JSON can be read but not written. */
function textOf(data) {
  try {
    return JSON.stringify(data) ?? '';
  } catch {
    return '(nested too deeply to be shown)';
  }
}
