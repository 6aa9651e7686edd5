// Owns the comparison of two runs from their start: what each did and when, and where they first differ. Pure but for loading.

import { incidentEvents, loadKept } from './api.js';
import { breathe } from './breath.js';
import { readData, readFrame } from './contract.js';
import { Curve } from './curve.js';
import { fold, newBoard } from './fold.js';

/** A step is the same one in both runs if it comes at most this much earlier or later, in seconds or in parts of the whole. */
const NEAR_S = 5;
const NEAR_PART = 0.05;
/** A shift of less is no difference. */
const SHIFT_S = 1;

/**
 * @typedef {{offset_s: number, phase: string, agent: string, action: string, status: string, summary: string, key: string}} Step
 * @typedef {{phase: string, from_s: number, to_s: number}} Stretch
 * @typedef {{offset_s: number, p: number}} Belief
 *
 * @typedef {object} Difference
 * @property {'steps' | 'times' | 'none'} kind
 * @property {number} offset_s
 * @property {Step | null} a
 * @property {Step | null} b
 */

export class Run {
  /** @type {import('./fold.js').IncidentState | null} */
  incident = null;
  /** @type {Step[]} */
  steps = [];
  /** @type {Stretch[]} */
  stretches = [];
  /** @type {Map<string, {claim: string, beliefs: Belief[]}>} */
  hypotheses = new Map();
  cost = new Curve();
  /** Position after which the rest begins. */
  last = 0;
  #board = newBoard();

  /** @param {import('./contract.js').Envelope} event */
  take(event) {
    const incident = fold(this.#board, event);
    if (!incident) return;
    this.incident = incident;
    const { offset_s, phase } = incident;
    const data = readData(event);
    const last = this.stretches.at(-1);
    if (last) last.to_s = Math.max(last.to_s, offset_s);
    if (phase !== null && last?.phase !== phase) this.stretches.push({ phase, from_s: offset_s, to_s: offset_s });
    if (event.type === 'agent_action') this.#act(data, offset_s, phase ?? '');
    if (event.type === 'incident_resolved') {
      this.#step({ agent: '', action: 'end', status: data.outcome, summary: data.summary }, offset_s, phase ?? '');
    }
    if (incident.cost && incident.cost_s !== null) this.cost.add(incident.cost_s, incident.cost.total);
  }

  /** Second at which it ended, or that it has reached. */
  get end_s() {
    return this.incident?.resolution?.durations.resolve_s ?? this.incident?.offset_s ?? 0;
  }

  /**
   * What was so at a second.
   * @param {number} offset_s
   */
  at(offset_s) {
    const phase = this.stretches.findLast(({ from_s }) => from_s <= offset_s)?.phase ?? null;
    const cost = this.cost.line(offset_s).last?.value ?? null;
    return { phase, cost, ended: offset_s >= this.end_s && this.incident?.state !== 'open' };
  }

  /**
   * @param {string} id of a hypothesis
   * @param {number} offset_s
   * @returns {number | null} `null` before it was named
   */
  beliefAt(id, offset_s) {
    return this.hypotheses.get(id)?.beliefs.findLast((belief) => belief.offset_s <= offset_s)?.p ?? null;
  }

  #act(data, offset_s, phase) {
    this.#step(data, offset_s, phase);
    if (data.hypotheses.length === 0) return;
    for (const { id, claim, p } of this.incident.hypotheses) {
      if (!this.hypotheses.has(id)) this.hypotheses.set(id, { claim, beliefs: [] });
      const { beliefs } = this.hypotheses.get(id);
      if (beliefs.at(-1)?.p !== p) beliefs.push({ offset_s, p });
    }
  }

  #step({ agent, action, status, summary }, offset_s, phase) {
    this.steps.push({ offset_s, phase, agent, action, status, summary, key: JSON.stringify([agent, action, status, summary]) });
  }
}

/**
 * Loads a run from the server's journal.
 * @param {string} id
 * @param {Run} [run] what was loaded of it before: only what came after that is loaded
 * @returns {Promise<Run>} another one if retention has dropped what came after that
 */
export function loadRun(id, run = new Run()) {
  return loadKept((isFirst) => loadParts(id, isFirst ? run : new Run()));
}

async function loadParts(id, run) {
  const rest = breathe();
  for (;;) {
    const before = run.last;
    const { text, next } = await incidentEvents(id, before);
    for (const line of text.split('\n')) {
      const event = line && readFrame(line);
      if (!event) continue;
      run.last = Math.max(run.last, Number(event.id) || 0);
      run.take(event);
      await rest();
    }
    // An answer of another program must not be asked for again and again.
    if (next === null || next <= before) break;
    run.last = Math.max(run.last, next);
  }
  if (!run.incident) throw new Error(`Nothing is kept of ${id}.`);
  return run;
}

/**
 * Where two runs first differ: a step that only one of them has, or else a step that comes at another time.
 * @param {Run} a
 * @param {Run} b
 * @returns {Difference}
 */
export function firstDifference(a, b) {
  const near_s = Math.max(NEAR_S, NEAR_PART * Math.max(a.end_s, b.end_s));
  // What an open run has not reached yet is no difference.
  const reached_s = Math.min(...[a, b].map((run) => (run.incident?.state === 'open' ? run.end_s : Infinity)));
  const pairs = [];
  const left = new Set(b.steps);
  const onlyA = [];
  const twins = new Map(Array.from(Map.groupBy(b.steps, ({ key }) => key), ([key, steps]) => [key, new Twins(steps)]));
  for (const step of a.steps) {
    const twin = twins.get(step.key)?.take(step.offset_s, near_s);
    if (twin) pairs.push([step, twin]);
    else onlyA.push(step);
    left.delete(twin);
  }
  const known = ({ offset_s }) => offset_s <= reached_s - (reached_s === Infinity ? 0 : near_s);
  const [one = null, other = null] = [onlyA.find(known), [...left].find(known)];
  if (one || other) {
    const offset_s = Math.min(one?.offset_s ?? Infinity, other?.offset_s ?? Infinity);
    // A step much later is not what the other run did instead.
    const instead = (step) => (step && step.offset_s <= offset_s + near_s ? step : null);
    return { kind: 'steps', offset_s, a: instead(one), b: instead(other) };
  }
  const shifted = pairs.find(([step, twin]) => Math.abs(step.offset_s - twin.offset_s) > SHIFT_S);
  if (!shifted) return { kind: 'none', offset_s: 0, a: null, b: null };
  return { kind: 'times', offset_s: Math.min(...shifted.map(({ offset_s }) => offset_s)), a: shifted[0], b: shifted[1] };
}

/** The steps of one kind, of which each is the twin of one step at most. There can be thousands, so none is looked at in vain. */
class Twins {
  #steps;
  /** For each step, one before it (from 1) and one after it that may be free: itself, while it is. */
  #before;
  #after;

  /** @param {Step[]} steps */
  constructor(steps) {
    this.#steps = steps.toSorted((one, other) => one.offset_s - other.offset_s);
    this.#before = Array.from({ length: steps.length + 1 }, (_, place) => place);
    this.#after = Array.from({ length: steps.length + 1 }, (_, place) => place);
  }

  /**
   * The free step that is nearest to a second. It is no longer free.
   * @param {number} offset_s
   * @param {number} near_s how far away it may be
   */
  take(offset_s, near_s) {
    let [low, high] = [0, this.#steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#steps[middle].offset_s <= offset_s) low = middle + 1;
      else high = middle;
    }
    const before = free(this.#before, low) - 1;
    const after = free(this.#after, low);
    const apart = (place) => Math.abs((this.#steps[place]?.offset_s ?? Infinity) - offset_s);
    const best = apart(before) <= apart(after) ? before : after;
    if (!(apart(best) <= near_s)) return null;
    this.#before[best + 1] = best;
    this.#after[best] = best + 1;
    return this.#steps[best];
  }
}

/** Follows the ways from one place to the next until one leads to itself, and makes them shorter. */
function free(ways, from) {
  let place = from;
  while (ways[place] !== place) {
    ways[place] = ways[ways[place]];
    place = ways[place];
  }
  return place;
}

/**
 * The run that one probably wants beside another: the newest one of the same scenario, or of the same title.
 * @param {import('./fold.js').IncidentState} incident
 * @param {import('./fold.js').IncidentState[]} all
 */
export function likelyPartner(incident, all) {
  const others = all.filter(({ id }) => id !== incident.id).toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time));
  const same = others.find(({ run }) => run && run.scenario === incident.run?.scenario);
  return same ?? others.find(({ title }) => title === incident.title) ?? others[0] ?? null;
}
