// Owns the fold from events to incident states: the exact twin of `src/report/fold.rs` and `state.rs`.
//
// It uses no clock, no DOM and no network. A test folds the same recordings with both twins. Fields of the state are
// `null` where Rust has `None`. Optional fields of contract types are left out, as serde leaves them out.

import { REJECTED, entryPerType, readData } from './contract.js';
import { secondOf } from './timemap.js';

/**
 * @typedef {object} IncidentState one incident after its first events; the JSON of Rust's `IncidentState`
 * @typedef {{incidents: IncidentState[]}} Board every incident of a stream, in order of appearance
 */

/** @returns {Board} */
export function newBoard() {
  return { incidents: [] };
}

/**
 * Folds one event into the board. Control messages, events of unknown types, unreadable payloads and repeats (an index
 * that was seen before) change nothing.
 * @param {Board} board
 * @param {import('./contract.js').Envelope} event
 * @returns {IncidentState | null} the incident's state if it changed
 */
export function fold(board, event) {
  const data = readData(event);
  if (!data || !Object.hasOwn(CHANGES, event.type)) return null;
  const id = event.subject ?? '';
  let incident = board.incidents.findLast((known) => known.id === id);
  if (!incident) {
    incident = unknown(id, event.time);
    board.incidents.push(incident);
  }
  if (event.index <= incident.index) return null;
  incident.index = event.index;
  incident.time = event.time;
  incident.synthetic = data.synthetic;
  // The second of a real event is unknown as long as the incident's start is; the resolution says how long it took.
  const second = secondOf(event, data, data.impact_started_at ?? incident.impact_started_at) ?? data.durations?.resolve_s ?? null;
  incident.offset_s = second ?? incident.offset_s;
  CHANGES[event.type](incident, data, second);
  return incident;
}

/**
 * Folds a whole recording.
 * @param {Iterable<import('./contract.js').Envelope>} events
 * @returns {Board}
 */
export function foldAll(events) {
  const board = newBoard();
  for (const event of events) fold(board, event);
  return board;
}

/**
 * Forgets the oldest ended incidents until at most `keep` ended ones are left.
 * @param {Board} board
 * @param {number} keep
 * @param {(id: string) => boolean} isNeeded whether an incident stays although it has ended
 * @returns {IncidentState[]} the forgotten ones
 */
export function forgetEnded(board, keep, isNeeded) {
  const ended = board.incidents.filter(({ state, id }) => state !== 'open' && !isNeeded(id));
  const forgotten = new Set(ended.slice(0, Math.max(0, ended.length - keep)));
  board.incidents = board.incidents.filter((incident) => !forgotten.has(incident));
  return [...forgotten];
}

/** What an event of each type changes in the state of its incident: `(incident, data, second)`, of which the second is `null` if it is not known. */
export const CHANGES = entryPerType('fold.js', {
  incident_started: start,
  agent_action: act,
  system_metrics: measure,
  incident_resolved: end,
});

/** The state before any event. Unknown values are `null` or empty. */
function unknown(id, time) {
  return {
    id,
    state: 'open',
    index: 0,
    offset_s: null,
    time,
    title: id,
    severity: null,
    services: [],
    synthetic: false,
    impact_started_at: null,
    target_s: null,
    speed: 1,
    phases: [],
    phase: null,
    now: null,
    agents: [],
    hypotheses: [],
    forecasts: [],
    units: {},
    metrics: {},
    users_affected: null,
    users_peak: null,
    cost: null,
    cost_s: null,
    actions: { total: 0, failed: 0 },
    marks: { detected: null, diagnosed: null, mitigated: null },
    resolution: null,
    run: null,
  };
}

function start(incident, started) {
  incident.title = started.title;
  incident.severity = started.severity;
  incident.services = started.services;
  incident.impact_started_at = started.impact_started_at;
  incident.units = Object.fromEntries(started.metrics.map(({ name, unit }) => [name, unit]));
  incident.target_s = started.target_s ?? null;
  incident.speed = started.speed ?? 1;
  incident.phase = started.phases[0]?.name ?? null;
  incident.phases = started.phases.map((phase) => ({ end_s: null, play_s: null, ...phase }));
  incident.agents = started.agents.map((agent) => idle(agent.id, agent.role));
  incident.run = started.run ?? null;
}

const AGENT_STATUS = { in_progress: 'working', completed: 'done', failed: 'failed' };

function act(incident, action, second) {
  incident.phase = action.phase ?? incident.phase;
  if (action.status !== 'in_progress') {
    incident.actions.total += 1;
    incident.actions.failed += action.status === 'failed' ? 1 : 0;
  }
  // A milestone is reached once. A later repeat does not move it.
  for (const mark of action.marks) incident.marks[mark] ??= second;
  believe(incident.hypotheses, action.hypotheses);
  if (action.forecast) {
    const made = { ...action.forecast, made_s: incident.offset_s };
    const place = incident.forecasts.findIndex((old) => old.quantity === made.quantity);
    if (place < 0) incident.forecasts.push(made);
    else incident.forecasts[place] = made;
  }
  let agent = incident.agents.find((known) => known.id === action.agent);
  if (!agent) {
    agent = idle(action.agent, '');
    incident.agents.push(agent);
  }
  agent.status = AGENT_STATUS[action.status];
  agent.action = action.action;
  agent.summary = action.summary;
  agent.since_s = second;
  // The number of a rejection is the belief in what it rejects.
  if (action.confidence !== undefined && action.action !== REJECTED) {
    const about = subjectOf(action);
    // A belief in one cause is no earlier value of the belief in another.
    agent.confidence_before = agent.confidence_in === about ? agent.confidence : null;
    agent.confidence = action.confidence;
    agent.confidence_in = about;
  }
  if (action.evidence.length > 0) agent.evidence = action.evidence;
  incident.now = { agent: action.agent, status: action.status, summary: action.summary };
}

/** What the confidence of an action is about: the hypothesis that has this belief, or else what the action does. */
function subjectOf({ action, confidence, hypotheses }) {
  return hypotheses.find(({ p }) => p === confidence)?.id ?? action;
}

/** An event has all hypotheses at once. A hypothesis that is not in it has the probability 0. */
function believe(known, given) {
  if (given.length === 0) return;
  for (const old of known) old.p = 0;
  for (const { id, claim, p } of given) {
    const old = known.find((hypothesis) => hypothesis.id === id);
    if (old) Object.assign(old, { claim, p, peak: Math.max(old.peak, p) });
    else known.push({ id, claim, p, peak: p });
  }
}

function measure(incident, sample, second) {
  incident.phase = sample.phase ?? incident.phase;
  incident.metrics = { ...incident.metrics, ...sample.metrics };
  if (sample.users_affected !== undefined) {
    incident.users_affected = sample.users_affected;
    incident.users_peak = Math.max(incident.users_peak ?? 0, sample.users_affected);
  }
  if (sample.cost) Object.assign(incident, { cost: sample.cost, cost_s: second });
}

function end(incident, resolved, second) {
  incident.state = resolved.outcome;
  if (resolved.cost) Object.assign(incident, { cost: resolved.cost, cost_s: second });
  if (resolved.users_peak !== undefined) incident.users_peak = resolved.users_peak;
  // What the resolution alone tells: an event that told it may be missing, or never have been.
  const { detect_s = null, diagnose_s = null, mitigate_s = null } = resolved.durations;
  incident.marks.detected ??= detect_s;
  incident.marks.diagnosed ??= diagnose_s;
  incident.marks.mitigated ??= mitigate_s;
  // The publisher counted every attempt. This fold may have started later.
  incident.actions = resolved.actions;
  for (const agent of incident.agents) {
    if (agent.status === 'working') agent.status = 'idle';
  }
  incident.resolution = {
    outcome: resolved.outcome,
    summary: resolved.summary,
    root_cause: resolved.root_cause ?? null,
    durations: resolved.durations,
    followups: resolved.followups,
  };
}

function idle(id, role) {
  return {
    id,
    role,
    status: 'idle',
    action: null,
    summary: null,
    confidence: null,
    confidence_before: null,
    confidence_in: null,
    since_s: null,
    evidence: [],
  };
}
