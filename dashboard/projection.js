// Owns what an incident may still take and cost: a middle and a range, from its newest forecast and from the phases that its plan
// announces. Pure.

import { inSeconds } from './format.js';

/**
 * What the cost rate of a phase is, compared with the rate before anything was mended: least, likely, most. While agents mend,
 * part of the users are served again; while they verify, nearly all.
 */
const RATES = {
  resolve: [0.5, 0.7, 1],
  verify: [0, 0.1, 0.3],
  done: [0, 0.05, 0.2],
};
const FULL = [1, 1, 1];

/**
 * @typedef {{low: number, middle: number, high: number}} Range
 *
 * @typedef {object} Projection
 * @property {Range} end_s seconds of the incident; all three are the same without a range
 * @property {'forecast' | 'plan'} by where the end comes from
 * @property {Range | null} cost in the incident's currency at that end; `null` without a cost
 * @property {string | null} currency
 */

/**
 * @param {import('./fold.js').IncidentState} state
 * @param {number} offset_s the second that the incident has reached
 * @returns {Projection | null} `null` when it has ended or no end is known
 */
export function projectionOf(state, offset_s) {
  if (state.state !== 'open') return null;
  const end = endOf(state, offset_s);
  if (end === null) return null;
  const { by, ...end_s } = end;
  const { cost } = state;
  const measured_s = state.cost_s ?? state.offset_s;
  const total = (which, until_s) => cost.total + costBetween(state, measured_s, until_s, which) * cost.per_minute;
  return {
    end_s,
    by,
    cost: cost && { low: total(0, end_s.low), middle: total(1, end_s.middle), high: total(2, end_s.high) },
    currency: cost?.currency ?? null,
  };
}

/** A forecast that time has overtaken says nothing more: then the plan's end counts, unless that has passed too. */
function endOf({ forecasts, phases }, offset_s) {
  const planned = phases.at(-1)?.end_s ?? null;
  const made = forecasts.find(({ quantity, unit }) => quantity === 'time_to_resolve' && inSeconds(1, unit) !== null);
  const [p10, p50, p90] = made ? [made.p10, made.p50, made.p90].map((value) => inSeconds(value ?? made.p50, made.unit)) : [];
  const later = (value) => Math.max(offset_s, value);
  if (made && p90 > offset_s) {
    const middle = p50 > offset_s ? p50 : Math.min(p90, later(planned ?? p90));
    return { low: later(p10), middle, high: p90, by: 'forecast' };
  }
  return planned !== null && planned > offset_s ? { low: planned, middle: planned, high: planned, by: 'plan' } : null;
}

/** Minutes at the present rate that cost as much as the time between two seconds of the incident. */
function costBetween({ phases, phase }, from_s, to_s, which) {
  const current = Math.max(
    0,
    phases.findIndex(({ name }) => name === phase),
  );
  const now = rateOf(phases[current]?.name)[1];
  let minutes = 0;
  for (const [place, { name, start_s }] of phases.entries()) {
    const end = phases[place + 1]?.start_s ?? Infinity;
    const begin = place === current ? from_s : Math.max(from_s, start_s);
    if (place < current || to_s <= begin) continue;
    const rate = place === current ? 1 : Math.min(1, rateOf(name)[which] / Math.max(now, 0.05));
    minutes += ((Math.min(end, to_s) - Math.min(begin, end)) / 60) * rate;
  }
  return phases.length > 0 ? minutes : (Math.max(0, to_s - from_s) / 60) * [0.6, 0.8, 1][which];
}

function rateOf(name) {
  return Object.hasOwn(RATES, name ?? '') ? RATES[name] : FULL;
}
