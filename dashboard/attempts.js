// Owns what failed and what helped in an incident, also in what the feed has dropped.

/** So many kinds of attempts that failed are kept by name. */
const MOST_KINDS = 100;

/**
 * @typedef {object} Failed a kind of attempt that failed
 * @property {string} action
 * @property {number} times
 * @property {number} last_s second of the last one
 */

export class Attempts {
  /** @type {Map<string, Failed>} in the order of the last attempt of each kind */
  #failed = new Map();
  /** How many failed of the kinds that are not kept by name. */
  others = 0;
  /** @type {{action: string, summary: string} | null} what mitigated the incident */
  helped = null;

  /** @returns {Failed[]} one entry per kind of attempt, in the order of the last one */
  get failed() {
    return [...this.#failed.values()];
  }

  /** @param {import('./history.js').Entry | import('./history.js').Gap} entry */
  take({ type, data, unknown, offset_s }) {
    if (type !== 'agent_action' || unknown) return;
    if (data.status === 'failed') this.#fail(data.action, offset_s);
    if (data.status === 'completed' && data.marks.includes('mitigated')) this.helped ??= data;
  }

  #fail(action, last_s) {
    const times = (this.#failed.get(action)?.times ?? 0) + 1;
    this.#failed.delete(action);
    this.#failed.set(action, { action, times, last_s });
    if (this.#failed.size <= MOST_KINDS) return;
    const [oldest] = this.#failed.values();
    this.#failed.delete(oldest.action);
    this.others += oldest.times;
  }

  /**
   * Those of a history.
   * @param {import('./history.js').Past | null} history
   */
  static of(history) {
    const all = new Attempts();
    if (history === null) return all;
    all.#failed = new Map(history.earlier.#failed);
    all.others = history.earlier.others;
    all.helped = history.earlier.helped;
    history.entries.forEach((entry) => all.take(entry));
    return all;
  }
}
