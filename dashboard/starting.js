// Owns starting incidents from this page: what the server said to the last try, and the incident that a person waits for.

import { trigger } from './api.js';
import { keepChoice } from './choices.js';

/**
 * @typedef {object} Wanted
 * @property {string} scenario
 * @property {import('./choices.js').Choice} choice
 * @property {object} [of] the form that waits for the answer
 *
 * @typedef {object} Triggered the result of the last try
 * @property {string} text
 * @property {'pending' | 'started' | 'failed'} state
 * @property {boolean} failed
 * @property {string | null} id of the incident
 * @property {object | null} of the form that waits for it
 * @property {{pointer: string, detail: string}[]} members what is wrong with which member of the request
 */

export class Starting {
  /** @type {Triggered | null} */
  triggered = null;
  /** The incident that this page started and that has not appeared in the stream yet. */
  awaited = null;
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {Wanted} wanted */
  async start({ scenario, choice, of = null }) {
    this.#tell('pending', { of, text: `Starting ${scenario} …` });
    try {
      const { id } = await trigger(scenario, choice);
      keepChoice(scenario, choice);
      this.awaited = id;
      this.#tell('started', { of, text: `Started ${id}`, id });
    } catch (error) {
      this.#tell('failed', { of, text: error.message, members: error.members ?? [] });
    }
  }

  #tell(state, more) {
    this.triggered = { id: null, of: null, members: [], state, failed: state === 'failed', ...more };
    this.#changed();
  }
}
