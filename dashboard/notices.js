// Owns what is worth a notice: an incident started, ran past its target, or ended. Pure.

import { clock, inHours, words } from './format.js';

/**
 * @typedef {{state: string, breached: boolean}} Seen
 * @typedef {object} News
 * @property {'started' | 'overrun' | 'ended'} kind
 * @property {import('./fold.js').IncidentState} incident
 */

/**
 * What happened since the last look.
 * @param {Map<string, Seen> | null} before `null` at the first look, when nothing is news
 * @param {import('./fold.js').IncidentState[]} incidents
 * @param {(incident: import('./fold.js').IncidentState) => import('./clock.js').Moment} momentOf
 * @param {Set<string>} lookedUp ids of incidents that a person has opened and the stream has not told: they are no news
 * @returns {{news: News[], seen: Map<string, Seen>}}
 */
export function lookAt(before, incidents, momentOf, lookedUp = new Set()) {
  const news = [];
  const seen = new Map();
  for (const incident of incidents) {
    const { id, state } = incident;
    const known = before?.get(id);
    const breached = state === 'open' ? momentOf(incident).breached : (known?.breached ?? false);
    seen.set(id, { state, breached });
    if (!before || (!known && lookedUp.has(id))) continue;
    // One that started and ended between two looks has both.
    if (!known) news.push({ kind: 'started', incident });
    if (state === 'open' && breached && !known?.breached) news.push({ kind: 'overrun', incident });
    if (state !== 'open' && (known?.state ?? 'open') === 'open') news.push({ kind: 'ended', incident });
  }
  return { news, seen };
}

/**
 * A notice in words.
 * @param {News} news
 * @returns {{title: string, body: string}}
 */
export function noticeOf({ kind, incident }) {
  const { synthetic, severity, title, state, target_s, resolution, offset_s } = incident;
  const took = clock(resolution?.durations.resolve_s ?? offset_s, inHours(incident));
  const what = {
    started: 'started',
    overrun: `is past its target of ${clock(target_s ?? 0, inHours(incident))}`,
    ended: `${state} after ${took}`,
  }[kind];
  const which = [synthetic ? 'Drill' : 'Incident', severity].filter(Boolean).join(' ');
  return { title: `${which} ${what}`, body: [title, incident.phase && kind === 'started' && words(incident.phase)].filter(Boolean).join(' · ') };
}
