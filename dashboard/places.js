// Owns which part of the page a person has gone to: the list of all incidents, a comparison of two runs, or an incident; and the
// incidents that are kept as tabs.

import { remember, remembered } from './preferences.js';
import { MOST_TABS } from './urgency.js';

/** Pins are remembered up to this many. */
const MOST_PINS = 50;

export class Places {
  /** Whether a person has chosen what is shown. */
  chosen = false;
  /** Whether the list of all incidents is shown. */
  list = false;
  /** @type {[string, string] | null} ids of the two runs that are compared */
  compared = null;
  /** @type {Set<string>} */
  pinned = new Set(pins());
  #settled = false;

  /** What is shown instead of the selected incident, if anything. @returns {'compare' | 'board' | null} */
  get mode() {
    return this.compared ? 'compare' : this.list ? 'board' : null;
  }

  /** Goes to the selected incident. */
  toIncident() {
    this.chosen = true;
    this.list = false;
    this.compared = null;
  }

  /** @param {string} id */
  pin(id) {
    if (!this.pinned.delete(id)) this.pinned.add(id);
    remember('pins', this.pinned.size > 0 ? [...this.pinned].slice(-MOST_PINS) : null);
  }

  /**
   * One who comes to many open incidents is led to the list of them, once all are known.
   * @param {import('./fold.js').IncidentState[]} incidents all that the stream has told
   * @returns {boolean} whether it was so
   */
  settle(incidents) {
    if (this.#settled) return false;
    this.#settled = true;
    this.list = !this.chosen && incidents.filter(({ state }) => state === 'open').length > MOST_TABS;
    return this.list;
  }
}

function pins() {
  const kept = remembered('pins');
  return Array.isArray(kept) ? kept.filter((id) => typeof id === 'string') : [];
}
