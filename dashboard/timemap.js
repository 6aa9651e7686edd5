// Owns the map between an incident's own time and the time on screen, and the second at which an event happened.
//
// The Rust side has the same map. Both count whole microseconds and round down, so both give the same result.

/** @typedef {{name: string, start_s: number, end_s: number | null, play_s: number | null}} Phase */

/**
 * The map of one incident. "Screen time" is the time that the playback takes at speed 1. A phase of an hour that is
 * played in a minute takes 60 seconds of screen time.
 *
 * Within a phase the map is linear. A phase without `end_s` or without `play_s` takes as long on screen as in the
 * incident. A last phase without an end stays open. After the end of the last phase, and in an incident without
 * phases, both times run at the same rate.
 */
export class TimeMap {
  #spans;

  /** @param {Phase[]} phases in order; each one starts where the one before ends */
  constructor(phases) {
    let screen = 0n;
    this.#spans = (phases.length > 0 ? phases : [WITHOUT_PHASES]).map((phase, place) => {
      const start = micros(phase.start_s);
      const end_s = phase.end_s ?? phases[place + 1]?.start_s ?? null;
      const length = end_s === null ? null : positive(micros(end_s) - start);
      const play = (phase.end_s ?? null) === null || (phase.play_s ?? null) === null ? length : micros(phase.play_s);
      const span = { start, length, screen, play };
      screen += play ?? 0n;
      return span;
    });
  }

  /**
   * Screen time of all phases, in seconds; `null` when the last phase has no end or there are no phases.
   * @returns {number | null}
   */
  get planned_s() {
    const { screen, play } = this.#spans.at(-1);
    return play === null ? null : seconds(screen + play);
  }

  /**
   * Second of the incident at which the last phase ends; `null` when that is not known.
   * @returns {number | null}
   */
  get end_s() {
    const { start, length } = this.#spans.at(-1);
    return length === null ? null : seconds(start + length);
  }

  /**
   * @param {number} offset_s second of the incident
   * @returns {number} second on screen
   */
  screenOf(offset_s) {
    const time = micros(offset_s);
    const span = this.#spans.findLast(({ start }) => start <= time) ?? this.#spans[0];
    return seconds(span.screen + this.#into(span, positive(time - span.start), span.length, span.play));
  }

  /**
   * @param {number} screen_s second on screen
   * @returns {number} second of the incident
   */
  incidentOf(screen_s) {
    const time = micros(screen_s);
    const span = this.#spans.findLast(({ screen }) => screen <= time) ?? this.#spans[0];
    return seconds(span.start + this.#into(span, positive(time - span.screen), span.play, span.length));
  }

  /**
   * Screen seconds from the start of the incident to the start of a phase.
   * @param {number} place of the phase
   */
  startOf(place) {
    return seconds(this.#spans[place].screen);
  }

  /** Converts a distance from the start of a span, of which `from` of one time are `to` of the other. */
  #into(span, distance, from, to) {
    if (from === null) return distance;
    if (distance <= from) return from === 0n ? 0n : (distance * to) / from;
    return span === this.#spans.at(-1) ? to + distance - from : to;
  }
}

const WITHOUT_PHASES = { name: '', start_s: 0, end_s: null, play_s: null };

/** Numbers on the wire can be of any size. Beyond this one a double has no whole microseconds. */
const micros = (value_s) => BigInt(Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(value_s * 1e6))));
const seconds = (value) => Number(value) / 1e6;
const positive = (value) => (value > 0n ? value : 0n);

/**
 * The second of the incident at which an event happened: what the event says, or else the time since the incident
 * started. It is negative when the event comes before that.
 * @param {import('./contract.js').Envelope} event
 * @param {{offset_s?: number}} data its payload
 * @param {string | null} impact_started_at
 * @returns {number | null} `null` when neither is known
 */
export function secondOf(event, data, impact_started_at) {
  if (data.offset_s !== undefined) return data.offset_s;
  return impact_started_at === null ? null : (millis(event.time) - startMillis(impact_started_at)) / 1000;
}

let start = { text: '', ms: 0 };

/** Thousands of events in a row count from the same start. */
function startMillis(text) {
  if (start.text !== text) start = { text, ms: millis(text) };
  return start.ms;
}

/**
 * Whole milliseconds since 1970, rounded down. Engines differ in what they do with more than three decimals.
 * @param {string} time RFC 3339
 */
export function millis(time) {
  // As the server writes them: whole microseconds.
  if (time.length === 27 && time[19] === '.' && time[26] === 'Z') return Date.parse(`${time.slice(0, 23)}Z`);
  return Date.parse(time.replace(/(\.\d{3})\d+/, '$1'));
}
