// Owns the horizontal axis of the track and the metrics. It shows screen time, so that a phase of hours that is played
// in a minute stays readable.

import { TimeMap } from './timemap.js';

/**
 * @typedef {object} Scale
 * @property {number} total screen seconds from edge to edge
 * @property {number | null} planned screen seconds of the planned phases; `null` when the end is open
 * @property {TimeMap} map
 * @property {(offset_s: number) => number} at 0 at the left edge, 1 at the right
 * @property {(part: number) => number} offset the second of the incident at a place from 0 to 1
 */

/** Lengths in seconds that people count in. */
const ROUND = [10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
/** An open axis always has this much of it to the right of now. */
const AHEAD = 0.1;
const MOST_TICKS = 6;

/**
 * The axis of an incident. It ends where the plan ends. When there is no planned end, or the incident runs past it,
 * the axis grows in steps, so that the drawing does not move in every frame.
 * @param {import('./fold.js').IncidentState} incident
 * @param {number} offset_s the second that the incident has reached
 * @returns {Scale}
 */
export function scaleOf(incident, offset_s) {
  const map = new TimeMap(incident.phases);
  const now = map.screenOf(offset_s);
  const planned = map.planned_s;
  const total = planned === null ? openTotal(incident, map, now) : plannedTotal(planned, now);
  return {
    total,
    planned,
    map,
    at: (offset) => Math.min(1, Math.max(0, map.screenOf(offset) / total)),
    offset: (part) => map.incidentOf(part * total),
  };
}

function plannedTotal(planned, now) {
  const length = Math.max(1e-9, planned);
  const over = Math.max(0, now / length - 1);
  return length * (1 + Math.ceil(over * 10 - 1e-6) / 10);
}

function openTotal({ state, target_s }, map, now) {
  const target = target_s === null ? 0 : map.screenOf(target_s);
  if (state !== 'open') return Math.max(1, now, target);
  const least = Math.max(60, now, target) / (1 - AHEAD);
  const step = stepOf(least);
  return Math.ceil(least / step) * step;
}

/** A round length that fits at most `MOST_TICKS` times into `total`. */
function stepOf(total) {
  const day = ROUND.at(-1);
  return ROUND.find((step) => total / step <= MOST_TICKS) ?? Math.ceil(total / MOST_TICKS / day) * day;
}

/**
 * Round seconds on an axis without phases, from 0.
 * @param {Scale} scale
 * @returns {number[]}
 */
export function ticksOf({ total }) {
  const step = stepOf(total);
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, place) => place * step);
}

/**
 * A place on the axis for SVG and CSS: `37.5%`.
 * @param {number} part
 */
export function place(part) {
  return `${(part * 100).toFixed(3)}%`;
}
