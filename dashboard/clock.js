// Owns what moves between two messages: the server's clock as this page knows it, and the numbers that follow it.

import { projectionOf } from './projection.js';
import { TimeMap, millis } from './timemap.js';

/**
 * A longer distance between two times shows that the server's clock was set, a shorter one may be a late message: as in
 * `src/report/state.rs` and `src/cli/clock.rs`.
 */
export const STEP_MS = 60_000;

/** The server's clock, kept on the monotonic clock of this machine. Changing the wall clock here has no effect. */
export class ServerClock {
  #ahead = null;
  /** How far the events of an incident were dated ahead of this clock when it was heard last. */
  #apart = new Map();
  /** The same as the server has said it at the beginning of the connection: a replayed event only shows that it is no less. */
  #agreed = new Map();
  /** The same for an incident that was not heard since the clock was set. */
  #unheard = 0;

  /**
   * Sets the clock, at the start of a connection.
   * @param {string} serverTime
   */
  restart(serverTime) {
    this.#ahead = Date.parse(serverTime) - performance.now();
    this.#apart.clear();
    this.#agreed.clear();
    this.#unheard = 0;
  }

  /**
   * Adjusts the clock to the time of a message that just arrived. Messages can only be late, so the largest
   * difference is the best estimate. After a step, the server's own messages set the clock.
   * @param {string} time
   * @param {string | null} incident whose event it is; `null` when the message is the server's own
   * @param {boolean} live whether it was not replayed: replayed events may be old, but not from the future
   */
  observe(time, incident = null, live = true) {
    const ahead = Date.parse(time) - performance.now();
    const apart = this.#ahead === null ? 0 : ahead - this.#ahead;
    const stepped = apart > STEP_MS || (live && apart < -STEP_MS);
    const agreed = live ? 0 : (this.#agreed.get(incident) ?? 0);
    if (incident !== null) this.#apart.set(incident, agreed || (stepped ? apart : 0));
    // The clocks of open incidents go on as they were, until an event shows whether it is dated by the new time.
    if (incident === null && stepped) {
      for (const [id, known] of this.#apart) this.#apart.set(id, known - apart);
      this.#agreed.clear();
      this.#unheard -= apart;
    }
    if (this.#ahead === null || (stepped ? incident === null : apart > 0)) this.#ahead = ahead;
  }

  /**
   * What the server says of how far the events of incidents are dated ahead: who hears an old event can't know when it was stored.
   * @param {[string, number][]} apart
   */
  agree(apart) {
    for (const known of [this.#apart, this.#agreed]) for (const [id, ahead] of apart) known.set(id, ahead);
  }

  /** @returns {number} milliseconds since 1970, by the server's clock */
  now() {
    return this.#ahead === null ? Date.now() : performance.now() + this.#ahead;
  }

  /**
   * How many milliseconds the events of an incident are dated ahead of the server's clock.
   * @param {string} incident
   */
  apart(incident) {
    return this.#apart.get(incident) ?? this.#unheard;
  }
}

/**
 * The second of the incident at a wall-clock time: twin of `IncidentState::offset_at`. Never before the newest
 * event. After the end of the incident, always the second of its last event. It counts from the start, or from the newest
 * event if the clock was set in between.
 * @param {import('./fold.js').IncidentState} state
 * @param {number} serverMs
 */
export function offsetAt(state, serverMs) {
  if (state.state !== 'open' || state.impact_started_at === null) return state.offset_s;
  const map = new TimeMap(state.phases);
  const newest_s = state.offset_s > 0 ? map.screenOf(state.offset_s) : state.offset_s;
  const sinceStart_s = ((serverMs - millis(state.impact_started_at)) / 1000) * state.speed;
  const sinceNewest_s = newest_s + ((serverMs - millis(state.time)) / 1000) * state.speed;
  const wasSet = Math.abs(sinceStart_s - sinceNewest_s) > (STEP_MS / 1000) * state.speed;
  const screen_s = wasSet ? sinceNewest_s : sinceStart_s;
  // Before the impact no phase stretches the time.
  return Math.max(screen_s < 0 ? screen_s : map.incidentOf(screen_s), state.offset_s);
}

/**
 * @typedef {object} Moment what moves between two messages
 * @property {number | null} offset_s second of the incident; `null` as long as its beginning is not known
 * @property {number | null} remaining_s to the target, negative after it; `null` without a target
 * @property {boolean} breached the target is missed by more than a late message can explain
 * @property {{currency: string, total: number, per_minute: number} | null} cost so far
 * @property {import('./projection.js').Projection | null} projection what it may still take and cost; `null` when unknown
 * @property {number | null} projected the likely cost at its end; `null` when no end is known
 * @property {number | null} end_s the likely end
 */

/**
 * Everything that moves, at a wall-clock time of the server.
 * @param {import('./fold.js').IncidentState} state
 * @param {number} serverMs
 * @returns {Moment}
 */
export function momentOf(state, serverMs) {
  return momentAt(state, offsetAt(state, serverMs));
}

/**
 * Everything that moves, at a second of the incident.
 * @param {import('./fold.js').IncidentState} state
 * @param {number} second
 * @returns {Moment}
 */
export function momentAt(state, second) {
  const open = state.state === 'open';
  const offset_s = open ? second : (state.resolution?.durations.resolve_s ?? state.offset_s);
  const remaining_s = state.target_s === null ? null : state.target_s - offset_s;
  const cost = state.cost && { ...state.cost };
  if (cost && open) {
    const measured_s = state.cost_s ?? state.offset_s;
    cost.total += (Math.max(0, rateHolds(state.phases, measured_s, offset_s) - measured_s) / 60) * cost.per_minute;
  }
  const projection = projectionOf(state, offset_s);
  return {
    offset_s,
    remaining_s,
    breached: missed(state, offset_s),
    cost,
    projection,
    projected: projection?.cost?.middle ?? null,
    end_s: projection?.end_s.middle ?? null,
  };
}

/**
 * The second up to which the measured rate is used. Rates change from phase to phase, so at the end of a phase the
 * number waits for the next sample. Otherwise the cost could rise too far and fall again.
 */
function rateHolds(phases, measured_s, offset_s) {
  const next = phases.slice(1).find((phase) => measured_s < phase.start_s);
  return next ? Math.min(offset_s, next.start_s) : offset_s;
}

/** An incident that resolves exactly on target must not show as missed while the message is on its way. */
function missed(state, offset_s) {
  if (state.target_s === null) return false;
  const over_s = offset_s - state.target_s;
  if (state.state !== 'open') return over_s >= 0.5;
  const map = new TimeMap(state.phases);
  const wall_s = (map.screenOf(offset_s) - map.screenOf(state.target_s)) / state.speed;
  return over_s >= 1 && wall_s >= 0.5;
}
