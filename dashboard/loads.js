// Owns the incidents whose events are loaded because the stream does not tell them from their start, each once.

import { Loaded, load } from './loading.js';

export class Loads {
  /** Incidents whose events are being loaded, with the events that come meanwhile. */
  #loading = new Map();
  /** Those that were asked for. */
  #asked = new Set();

  /** @param {string} id */
  has(id) {
    return this.#loading.has(id);
  }

  /** @param {string} id whether it was asked for before */
  asked(id) {
    return this.#asked.has(id);
  }

  /**
   * An event of an incident has arrived.
   * @param {string} id
   * @param {[import('./contract.js').Envelope, number, boolean]} event
   */
  heard(id, event) {
    this.#loading.get(id)?.push(event);
  }

  /** @param {string} id of an incident that can be loaded again */
  forget(id) {
    this.#asked.delete(id);
  }

  /** The log is another one. */
  clear() {
    this.#loading.clear();
    this.#asked.clear();
  }

  /**
   * Loads the events of an incident. What comes meanwhile is added to them.
   * @param {string} id
   * @returns {Promise<{loaded: Loaded, failure: string} | null>} `null` if the log is another one by now
   */
  async load(id) {
    this.#asked.add(id);
    const meanwhile = [];
    this.#loading.set(id, meanwhile);
    let failure = '';
    const loaded = await load(id).catch((error) => {
      failure = error.message;
      return new Loaded();
    });
    if (this.#loading.get(id) !== meanwhile) return null;
    this.#loading.delete(id);
    for (const event of meanwhile) loaded.take(...event);
    return { loaded, failure };
  }
}
