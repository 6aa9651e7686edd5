// Owns what an incident's history says over time: beliefs and forecasts. Pure.

import { inSeconds } from './format.js';

/**
 * @typedef {{offset_s: number, p: Map<string, number>}} Beliefs the probability of each hypothesis from a moment on
 * @typedef {{made_s: number, low: number, middle: number, high: number, spread: boolean}} Made a forecast of the end, in seconds
 */

/** The quantity that is the end of the incident. */
export const END = 'time_to_resolve';

const actions = (history) => (history?.entries ?? []).filter(({ type, unknown }) => type === 'agent_action' && !unknown);

/**
 * The beliefs from each change on. What the history no longer has is told by the state alone.
 * @param {import('./history.js').History | null} history
 * @param {import('./fold.js').IncidentState} incident
 * @returns {Beliefs[]}
 */
export function beliefsOf(history, incident) {
  const told = actions(history).filter(({ data }) => data.hypotheses.length > 0);
  const series = told.map(({ offset_s, data }) => ({
    offset_s,
    p: new Map(data.hypotheses.map(({ id, p }) => [id, Math.min(1, Math.max(0, p))])),
  }));
  if (series.length > 0 || incident.hypotheses.length === 0) return series;
  return [{ offset_s: incident.offset_s, p: new Map(incident.hypotheses.map(({ id, p }) => [id, p])) }];
}

/**
 * The forecasts of the end, oldest first.
 * @param {import('./history.js').History | null} history
 * @param {import('./fold.js').IncidentState} incident
 * @returns {Made[]}
 */
export function endsOf(history, incident) {
  const told = actions(history)
    .filter(({ data }) => data.forecast?.quantity === END)
    .map(({ offset_s, data }) => made(data.forecast, offset_s));
  const newest = incident.forecasts.find(({ quantity }) => quantity === END);
  const all = told.length > 0 || !newest ? told : [made(newest, newest.made_s)];
  return all.filter((forecast) => forecast !== null);
}

function made({ unit, p10, p50, p90 }, made_s) {
  const middle = inSeconds(p50, unit);
  if (middle === null) return null;
  const spread = p10 !== undefined && p90 !== undefined;
  const [low, high] = spread ? [inSeconds(p10, unit), inSeconds(p90, unit)] : [middle, middle];
  return { made_s, low: Math.min(low, middle), middle, high: Math.max(high, middle), spread };
}

/**
 * The newest forecast of the end; `null` without one.
 * @param {import('./fold.js').IncidentState} incident
 * @returns {Made | null}
 */
export function endOf(incident) {
  return endsOf(null, incident).at(-1) ?? null;
}

/**
 * The two causes that are believed most, with the belief in them. A cause that was proved is the first.
 * @param {import('./fold.js').IncidentState} incident
 */
export function leadersOf({ hypotheses, resolution }) {
  const root = resolution?.root_cause ?? null;
  const ranked = hypotheses
    .filter(({ id, p }) => p > 0 || id === root)
    .sort((one, other) => (other.id === root) - (one.id === root) || other.p - one.p);
  return { leading: ranked[0] ?? null, next: ranked[1] ?? null, proved: root !== null && ranked[0]?.id === root };
}
