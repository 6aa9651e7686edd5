// Owns the range of time that the charts show: the whole incident, or the part of it that a person at this page has chosen.

import { scaleOf } from './scale.js';

/** A range is at least so long, in seconds on screen, so that the ends of its axis have different labels. */
const LEAST_S = 4;

/** @type {{id: string, from: number, to: number} | null} the chosen range of an incident, in seconds on screen */
let range = null;

/**
 * The axis of the charts. It is that of the track, or a part of it.
 * @param {import('./model.js').View} view
 * @returns {import('./scale.js').Scale & {raw: (offset_s: number) => number, zoomed: boolean, key: string}} `raw` goes below 0 and
 *   beyond 1 for what is outside; `key` differs for each axis
 */
export function chartScale({ newest, present }) {
  const whole = scaleOf(newest, present.offset_s);
  const { map, total } = whole;
  if (range?.id !== newest.id) range = null;
  const from = range ? range.from : 0;
  const to = range ? range.to : total;
  const raw = (offset_s) => (map.screenOf(offset_s) - from) / (to - from);
  return {
    ...whole,
    raw,
    at: (offset_s) => Math.min(1, Math.max(0, raw(offset_s))),
    offset: (part) => map.incidentOf(from + part * (to - from)),
    zoomed: range !== null,
    key: range ? `${total} ${from} ${to}` : String(total),
  };
}

/** Whether the charts show a part only. */
export function isZoomed() {
  return range !== null;
}

/**
 * The chosen range as parts of the track's axis.
 * @param {import('./scale.js').Scale} whole
 * @returns {[number, number] | null} `null` for the whole
 */
export function rangeOn({ total }) {
  return range && [range.from / total, Math.min(1, range.to / total)];
}

/**
 * Chooses a part of what the charts show now.
 * @param {import('./model.js').View} view
 * @param {number} a 0 at the left edge, 1 at the right
 * @param {number} b
 */
export function choose(view, a, b) {
  const { total } = scaleOf(view.newest, view.present.offset_s);
  const [start, end] = shown(view, total);
  const at = (part) => start + part * (end - start);
  const [low, high] = [at(Math.min(a, b)), at(Math.max(a, b))];
  const length = Math.max(high - low, Math.min(LEAST_S, total));
  if (length >= total) return showAll();
  const from = Math.min(Math.max(0, (low + high - length) / 2), total - length);
  range = { id: view.newest.id, from, to: from + length };
  tell();
}

/**
 * Shows a shorter or a longer time around a place.
 * @param {import('./model.js').View} view
 * @param {number} times how many times as much detail
 * @param {number} around 0 to 1 of what the charts show now; it stays where it is
 */
export function zoomBy(view, times, around) {
  choose(view, around - around / times, around + (1 - around) / times);
}

/**
 * Moves the range, as far as the incident goes.
 * @param {import('./model.js').View} view
 * @param {number} part of its own length
 */
export function shift(view, part) {
  if (!range) return;
  const { total } = scaleOf(view.newest, view.present.offset_s);
  const length = range.to - range.from;
  const from = Math.min(Math.max(0, range.from + part * length), total - length);
  range = { ...range, from, to: from + length };
  tell();
}

/** Shows the whole incident. */
export function showAll() {
  range = null;
  tell();
}

function shown({ newest }, total) {
  return range?.id === newest.id ? [range.from, range.to] : [0, total];
}

function tell() {
  dispatchEvent(new CustomEvent('charts-zoomed'));
}
