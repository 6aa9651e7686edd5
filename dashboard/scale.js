// Owns the horizontal axis that the track and the metrics share: seconds of playback, not of the incident.

import { offsetOf, screenOf } from './clock.js';

/**
 * @typedef {object} Scale
 * @property {number} total screen seconds from edge to edge
 * @property {number} planned screen seconds of the planned phases
 * @property {(offset_s: number) => number} at 0 at the left edge, 1 at the right
 * @property {(part: number) => number} offset the way back
 */

/**
 * The axis of an incident. It ends where the plan ends, or later in steps when the incident runs over, so that
 * it does not creep every frame.
 * @param {import('./fold.js').IncidentState} incident
 * @param {number} offset_s how far it is
 * @returns {Scale}
 */
export function scaleOf(incident, offset_s) {
  const { phases } = incident;
  const planned = Math.max(
    1e-9,
    phases.reduce((sum, phase) => sum + phase.play_s, 0),
  );
  const over = Math.max(0, screenOf(phases, offset_s) / planned - 1);
  const total = planned * (1 + Math.ceil(over * 10 - 1e-6) / 10);
  return {
    total,
    planned,
    at: (offset) => Math.min(1, Math.max(0, screenOf(phases, offset) / total)),
    offset: (part) => offsetOf(phases, part * total),
  };
}

/**
 * A place on the axis for SVG and CSS: `37.5%`.
 * @param {number} part
 */
export function place(part) {
  return `${(part * 100).toFixed(3)}%`;
}
