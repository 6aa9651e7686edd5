// Owns time: the server's clock as seen from here, and an incident's own time between two events.

/** The server's clock, kept on this machine's monotonic one: a change of the wall clock here moves nothing. */
export class ServerClock {
  #ahead = null;

  /**
   * Sets the clock anew, at the start of a connection.
   * @param {string} serverTime
   */
  restart(serverTime) {
    this.#ahead = Date.parse(serverTime) - performance.now();
  }

  /**
   * Learns from the time of a message. Messages only ever arrive late, so the one that arrived least late
   * tells the clock best: the largest difference wins.
   * @param {string} time
   */
  observe(time) {
    const ahead = Date.parse(time) - performance.now();
    if (this.#ahead === null || ahead > this.#ahead) this.#ahead = ahead;
  }

  /** @returns {number} milliseconds since 1970, by the server's clock */
  now() {
    return this.#ahead === null ? Date.now() : performance.now() + this.#ahead;
  }
}

/**
 * Where a second of the incident lies on screen: seconds of playback at speed 1 since its start.
 * The track and the metrics are drawn on this scale, so that hours that are played in a minute stay readable.
 * @param {{start_s: number, end_s: number, play_s: number}[]} phases
 * @param {number} offset_s
 */
export function screenOf(phases, offset_s) {
  let screen_s = 0;
  for (const phase of phases) {
    if (offset_s < phase.end_s) {
      const length = phase.end_s - phase.start_s;
      const part = length > 0 ? Math.max(0, offset_s - phase.start_s) / length : 0;
      return screen_s + part * phase.play_s;
    }
    screen_s += phase.play_s;
  }
  return screen_s + offset_s - (phases.at(-1)?.end_s ?? 0);
}

/**
 * The way back: the second of the incident at a second of playback.
 * @param {{start_s: number, end_s: number, play_s: number}[]} phases
 * @param {number} screen_s
 */
export function offsetOf(phases, screen_s) {
  for (const phase of phases) {
    if (screen_s < phase.play_s) {
      const part = Math.max(0, screen_s / phase.play_s);
      return phase.start_s + part * (phase.end_s - phase.start_s);
    }
    screen_s -= phase.play_s;
  }
  return (phases.at(-1)?.end_s ?? 0) + screen_s;
}

/**
 * The second of the incident at a wall-clock time: twin of `IncidentState::offset_at`. Never before the newest
 * event nor, once ended, after it.
 * @param {import('./fold.js').IncidentState} state
 * @param {number} serverMs
 */
export function offsetAt(state, serverMs) {
  if (state.state !== 'open' || state.impact_started_at === null) return state.offset_s;
  const screen_s = ((serverMs - Date.parse(state.impact_started_at)) / 1000) * state.speed;
  if (state.phases.length === 0) return state.offset_s;
  return Math.max(offsetOf(state.phases, screen_s), state.offset_s);
}

/**
 * @typedef {object} Moment what moves between two messages
 * @property {number} offset_s second of the incident
 * @property {number | null} remaining_s to the target; negative once past
 * @property {boolean} breached the target is missed, beyond what a late message explains
 * @property {{currency: string, total: number, per_minute: number} | null} cost so far
 * @property {number | null} projected cost at the planned end, if the rate stays
 * @property {number} end_s the planned end
 */

/**
 * Everything that moves, at a wall-clock time of the server.
 * @param {import('./fold.js').IncidentState} state
 * @param {number} serverMs
 * @returns {Moment}
 */
export function momentOf(state, serverMs) {
  const open = state.state === 'open';
  const end_s = state.phases.at(-1)?.end_s ?? state.offset_s;
  const offset_s = open ? offsetAt(state, serverMs) : (state.resolution?.durations.resolve_s ?? state.offset_s);
  const remaining_s = state.target_s === null ? null : state.target_s - offset_s;
  const cost = state.cost && { ...state.cost };
  let projected = null;
  if (cost && open) {
    const measured_s = state.cost_s ?? state.offset_s;
    cost.total += (Math.max(0, rateHolds(state.phases, measured_s, offset_s) - measured_s) / 60) * cost.per_minute;
    projected = cost.total + (Math.max(0, end_s - offset_s) / 60) * cost.per_minute;
  }
  return { offset_s, remaining_s, breached: missed(state, offset_s), cost, projected, end_s };
}

/**
 * How far the measured rate may be trusted. Rates change with phases, so at a border the number waits for the
 * next sample: growing on at the old rate would show money that comes back.
 */
function rateHolds(phases, measured_s, offset_s) {
  const phase = phases.find((candidate) => measured_s < candidate.end_s);
  return !phase || phase === phases.at(-1) ? offset_s : Math.min(offset_s, phase.end_s);
}

/** An incident that resolves exactly on target must not flash as missed while the message is on its way. */
function missed(state, offset_s) {
  if (state.target_s === null) return false;
  const over_s = offset_s - state.target_s;
  if (state.state !== 'open') return over_s >= 0.5;
  const wall_s = (screenOf(state.phases, offset_s) - screenOf(state.phases, state.target_s)) / state.speed;
  return over_s >= 1 && wall_s >= 0.5;
}
