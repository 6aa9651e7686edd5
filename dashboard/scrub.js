// Owns which moment of an incident is shown: the present, or an earlier one that the person at this page has chosen.

import { momentAt } from './clock.js';
import { TimeMap } from './timemap.js';

/**
 * @typedef {object} Chosen an earlier moment
 * @property {string} id of the incident
 * @property {number} count events that had happened
 * @property {number} offset_s second of the incident
 * @property {number} seen events of the incident when it was paused
 */

export class Scrub {
  /** @type {Chosen | null} */
  #chosen = null;

  /**
   * @param {string | undefined} id
   * @returns {Chosen | null} the moment chosen in this incident
   */
  of(id) {
    return this.#chosen?.id === id ? this.#chosen : null;
  }

  /** Back to the present. */
  live() {
    this.#chosen = null;
  }

  /**
   * The events of an incident are now there from its start: the moment that was chosen keeps its place before the newest one.
   * @param {string} id
   * @param {import('./timeline.js').Timeline | undefined} before
   * @param {import('./timeline.js').Timeline} after
   */
  reloaded(id, before, after) {
    const chosen = this.of(id);
    if (!chosen || !before) return;
    const more = after.count - before.count;
    this.#chosen = { ...chosen, count: chosen.count + more, seen: chosen.seen + more };
  }

  /**
   * Chooses a second of an incident. Its present, or a later one, is no choice.
   * @param {import('./fold.js').IncidentState} incident as it is now
   * @param {import('./timeline.js').Timeline} timeline
   * @param {number} offset_s
   * @param {number} now_s the second that the incident has reached
   */
  at({ id }, timeline, offset_s, now_s) {
    if (timeline.count === 0) return;
    if (offset_s >= now_s) return this.live();
    const count = timeline.countAt(offset_s);
    // Of a very long incident only some of the old moments are kept.
    const exact = timeline.step(count, 0) === count;
    this.#choose(id, timeline, count, exact ? Math.max(offset_s, timeline.secondAfter(1)) : timeline.secondAfter(count));
  }

  /** Stops at the present: what comes from now on is new. */
  pause({ id }, timeline, now_s) {
    if (timeline.count > 0) this.#choose(id, timeline, timeline.count, now_s);
  }

  /**
   * Goes on or back by seconds on screen, which are those of the track.
   * @param {number} seconds
   */
  bySeconds(incident, timeline, seconds, now_s) {
    const map = new TimeMap(incident.phases);
    const from = map.screenOf(this.of(incident.id)?.offset_s ?? now_s);
    this.at(incident, timeline, map.incidentOf(Math.max(0, from + seconds)), now_s);
  }

  /**
   * Goes on or back by one event.
   * @param {1 | -1} by
   */
  byEvent(incident, timeline, by, now_s) {
    const chosen = this.of(incident.id);
    if (timeline.count === 0 || (!chosen && by > 0)) return;
    // From the present, the first step back is to the newest event itself.
    const count = chosen ? timeline.step(chosen.count, by) : timeline.step(timeline.count, -1);
    if (chosen && count === chosen.count && by > 0) return this.at(incident, timeline, now_s, now_s);
    this.#choose(incident.id, timeline, count, timeline.secondAfter(count));
  }

  /**
   * What is shown of an incident at the chosen moment.
   * @param {Chosen} chosen
   * @param {import('./history.js').History} history
   */
  shown(chosen, history) {
    if (this.known?.chosen !== chosen || this.known.history !== history) {
      const state = history.timeline.stateAfter(chosen.count);
      this.known = { chosen, history, state, past: history.upTo(state.index, chosen.offset_s) };
    }
    const { state, past } = this.known;
    return { incident: state, history: past, moment: momentAt(state, chosen.offset_s) };
  }

  #choose(id, timeline, count, offset_s) {
    this.#chosen = { id, count, offset_s, seen: this.of(id)?.seen ?? timeline.count };
  }
}
