// Owns what is said aloud of an incident: its key moments, in whole sentences. Pure.

import { agentName, duration, percent, words } from './format.js';
import { endOf, leadersOf } from './series.js';

const MARKS = { detected: 'detected', diagnosed: 'diagnosed', mitigated: 'mitigated' };
/** Of a title or a claim, no more is said. */
const LONGEST = 160;

/**
 * What of an incident is compared.
 * @param {import('./fold.js').IncidentState} incident
 */
export function snapshot(incident) {
  const { id, phase, state, marks, actions, now } = incident;
  const { leading } = leadersOf(incident);
  return {
    id,
    phase,
    state,
    marks: { ...marks },
    failed: actions.failed,
    now: now && { ...now },
    leading: leading && { id: leading.id, claim: leading.claim, p: leading.p },
    end: endOf(incident),
  };
}

/** @typedef {ReturnType<typeof snapshot>} Snapshot */

/**
 * What a person who has just come to an incident has to know.
 * @param {import('./fold.js').IncidentState} incident
 */
export function introduction({ severity, title, synthetic, phase, state, target_s }) {
  const kind = synthetic ? 'Drill' : 'Real incident';
  const target = target_s === null || state !== 'open' ? '' : ` The target is ${spoken(target_s)}.`;
  const stage = state !== 'open' ? ` It is ${state}.` : phase === null ? '' : ` It is in the phase ${lower(phase)}.`;
  return `${kind}${severity === null ? '' : `, ${severity}`}: ${short(title)}.${stage}${target}`;
}

/**
 * What happened from one state of an incident to the next one.
 * @param {Snapshot} before
 * @param {import('./fold.js').IncidentState} incident
 * @returns {string[]}
 */
export function momentsBetween(before, incident) {
  const after = snapshot(incident);
  if (before.state !== after.state) return [ending(incident)];
  const said = [];
  if (before.phase !== after.phase && after.phase !== null) said.push(`The phase ${lower(after.phase)} begins.`);
  if (after.failed > before.failed && after.now?.status === 'failed') {
    said.push(`${agentName(after.now.agent)} failed: ${sentence(after.now.summary)}`);
  }
  for (const [mark, word] of Object.entries(MARKS)) {
    if (before.marks[mark] === null && after.marks[mark] !== null) {
      said.push(`The incident is ${word}, ${spoken(after.marks[mark])} after its start.`);
    }
  }
  if (after.leading && before.leading?.id !== after.leading.id) {
    said.push(`The leading cause is now ${sentence(after.leading.claim, `, believed to ${percent(after.leading.p)}`)}`);
  }
  if (after.end && before.end?.made_s !== after.end.made_s) said.push(expected(after.end));
  return said;
}

function expected({ low, middle, high, spread }) {
  const range = spread ? `, and in 8 of 10 cases between ${spoken(low)} and ${spoken(high)}` : '';
  return `The end is expected ${spoken(middle)} after the start${range}.`;
}

function ending({ state, resolution, offset_s, target_s, cost }) {
  const took = resolution?.durations.resolve_s ?? offset_s;
  const target =
    target_s === null || state !== 'resolved' ? '' : took - target_s >= 0.5 ? ', after its target' : ', within its target';
  const paid = cost ? ` It cost ${Math.round(cost.total).toLocaleString('en-US')} ${cost.currency}.` : '';
  return `The incident is ${state} after ${spoken(took)}${target}.${paid}`;
}

/** @param {number} seconds */
function spoken(seconds) {
  return duration(Math.round(seconds)).replace('.0 s', ' s');
}

/** @param {number} target_s */
export function missed(target_s) {
  return `The target of ${spoken(target_s)} is missed.`;
}

function sentence(text, rest = '') {
  return `${short(text).replace(/[.!?…]+$/, '')}${rest}.`;
}

function short(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}

function lower(name) {
  return words(name).toLowerCase();
}
