// Owns what the state of an incident does not keep: its feed entries, its metrics' curves and its past states.

import { Attempts } from './attempts.js';
import { isEventType, readData } from './contract.js';
import { Curve } from './curve.js';
import { Timeline } from './timeline.js';

/** A page may stay open for weeks. Beyond this number, the oldest entries are dropped. */
const MOST_ENTRIES = 5000;
/** An incident has at most this many metrics with a curve. */
const MOST_CURVES = 64;
/** Of the payload of an unknown event, this many characters are kept. */
const MOST_TEXT = 400;

/**
 * @typedef {object} Entry one row of the feed
 * @property {number} position
 * @property {number} [index]
 * @property {string} type
 * @property {string} phase the incident's phase after the event
 * @property {number} phase_s second at which that phase began, as far as events say
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
 * @property {number} offset_s second that the incident had reached
 *
 * @typedef {object} Past what panels draw of a history, up to now or to an earlier moment
 * @property {History} whole the history itself
 * @property {(Entry | Gap)[]} entries
 * @property {number} dropped how many entries were dropped at the front
 * @property {Attempts} earlier what failed and helped in those
 * @property {number} revision changes whenever a curve does
 * @property {() => string[]} names of the metrics that have a curve
 * @property {(name: string) => import('./curve.js').Line} line the curve of a metric
 * @property {(index: number) => Entry | undefined} entry
 * @property {string} missing why events before the first entry are not there; empty when none are missing
 */

/** @implements {Past} */
export class History {
  /** @type {(Entry | Gap)[]} */
  entries = [];
  /** How many entries were dropped at the front. Entry `i` of the list is number `dropped + i` of all. */
  dropped = 0;
  earlier = new Attempts();
  revision = 0;
  missing = '';
  timeline = new Timeline();
  /** @type {Map<string, Curve>} */
  #curves = new Map();
  #byIndex = new Map();
  #phase = { name: '', since_s: 0 };

  get whole() {
    return this;
  }

  /**
   * @param {import('./contract.js').Envelope} event
   * @param {{position: number, live: boolean, phase: string, offset_s: number}} arrival
   */
  take(event, { position, live, phase, offset_s }) {
    const known = isEventType(event.type);
    const data = readData(event);
    if (known && !data) return;
    if (phase !== this.#phase.name) this.#phase = { name: phase, since_s: offset_s };
    if (event.type === 'system_metrics') return this.#sample(data, offset_s);
    const entry = { position, index: event.index, type: event.type, phase, phase_s: this.#phase.since_s, live, offset_s };
    this.#add(known ? { ...entry, data } : { ...entry, data: {}, unknown: unknown(event) });
  }

  /**
   * Adds an event that cannot be assigned to an incident: it has no subject, or names an unknown incident.
   * @param {import('./contract.js').Envelope} event
   * @param {{position: number, live: boolean, phase: string, offset_s: number}} arrival
   */
  takeForeign(event, arrival) {
    this.#add({ ...arrival, phase_s: this.#phase.since_s, type: event.type, data: {}, unknown: { ...unknown(event), subject: event.subject ?? '' } });
  }

  /**
   * Marks where events are missing.
   * @param {number} from
   * @param {number} to
   * @param {number} offset_s
   */
  gap(from, to, offset_s) {
    this.#add({ gap: { from, to }, offset_s });
  }

  /**
   * @param {number} index
   * @returns {Entry | undefined} the entry of that event, if the feed has one and it is still kept
   */
  entry(index) {
    return this.#byIndex.get(index);
  }

  /** @returns {string[]} the metrics that have a curve */
  names() {
    return [...this.#curves.keys()];
  }

  /**
   * The curve of a metric.
   * @param {string} name
   * @param {number} [until_s]
   */
  line(name, until_s) {
    return (this.#curves.get(name) ?? new Curve()).line(until_s);
  }

  /**
   * This history as it was at a moment.
   * @param {number} index of the last event that had happened
   * @param {number} offset_s second of the incident
   * @returns {Past}
   */
  upTo(index, offset_s) {
    const later = this.entries.findIndex((entry) => entry.index > index);
    let end = later < 0 ? this.entries.length : later;
    // What has no place in the incident is known by its second alone.
    while (end > 0 && !this.entries[end - 1].index && this.entries[end - 1].offset_s > offset_s) end -= 1;
    const lines = new Map();
    const line = (name) => {
      if (!lines.has(name)) lines.set(name, this.line(name, offset_s));
      return lines.get(name);
    };
    return {
      whole: this,
      entries: this.entries.slice(0, end),
      dropped: this.dropped,
      // Before the first entry nothing is known.
      earlier: end > 0 ? this.earlier : new Attempts(),
      revision: -index,
      missing: this.missing,
      names: () => this.names().filter((name) => line(name).last !== null),
      line,
      entry: (wanted) => (wanted <= index ? this.entry(wanted) : undefined),
    };
  }

  #add(entry) {
    this.entries.push(entry);
    if (entry.index) this.#byIndex.set(entry.index, entry);
    if (this.entries.length > MOST_ENTRIES) {
      const oldest = this.entries.shift();
      this.#byIndex.delete(oldest.index);
      this.earlier.take(oldest);
      this.dropped += 1;
    }
  }

  #sample({ metrics, users_affected, cost }, offset_s) {
    for (const name of Object.keys(metrics)) this.#measured(name, offset_s, metrics[name]);
    if (users_affected !== undefined) this.#measured('users_affected', offset_s, users_affected);
    if (cost) this.#measured('cost_per_minute', offset_s, cost.per_minute);
    this.revision += 1;
  }

  #measured(name, offset_s, value) {
    if (!this.#curves.has(name)) {
      if (this.#curves.size >= MOST_CURVES) return;
      this.#curves.set(name, new Curve());
    }
    this.#curves.get(name).add(offset_s, value);
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
