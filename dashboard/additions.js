// Owns what a person adds to incidents: a draft for each, and sending it until the server has stored it, once.
//
// An addition has its id before it is sent and keeps it until its text changes. So a second click, a repeat after a lost
// answer and one after a reload are the same event, which the server stores once.

import { publish } from './api.js';
import { personCalled } from './format.js';

/** The publisher of what is added on this page. */
export const SOURCE = '/page';
const DRAFTS = 'additions';
const NAME = 'person';
/** How often one click sends, and how long it waits at first and at most. */
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

/** What can be added, by its name in the form. */
const KINDS = {
  note: { action: 'note', status: 'completed' },
  completed: { action: 'manual_action', status: 'completed' },
  in_progress: { action: 'manual_action', status: 'in_progress' },
  failed: { action: 'manual_action', status: 'failed' },
};

/**
 * @typedef {object} Draft
 * @property {keyof typeof KINDS} kind
 * @property {string} text
 * @property {object | null} event what was sent, or is being sent; `null` before that
 * @property {'idle' | 'sending' | 'waiting' | 'failed' | 'added'} state `waiting`: it will be sent again
 * @property {string} problem why it was not stored so far
 */

export class Additions {
  #now;
  #changed;
  /** @type {Map<string, Draft>} by the incident's id */
  #drafts = new Map();
  /** Ends the waiting of a draft. */
  #wake = new Map();
  #author = read('localStorage', NAME) ?? '';

  /**
   * @param {() => number} now milliseconds by the server's clock
   * @param {() => void} changed
   */
  constructor(now, changed) {
    this.#now = now;
    this.#changed = changed;
    // If one of them was stored before the reload, the stream will tell.
    for (const [id, { kind, text, event }] of remembered()) this.#drafts.set(id, { ...empty(), kind, text, event });
  }

  /** The name of the person at this browser, which it remembers. */
  get author() {
    return this.#author;
  }

  /**
   * @param {string} incident
   * @returns {Draft}
   */
  of(incident) {
    if (!this.#drafts.has(incident)) this.#drafts.set(incident, empty());
    return this.#drafts.get(incident);
  }

  /**
   * The person has typed.
   * @param {string} incident
   * @param {{name: string, kind: keyof typeof KINDS, text: string}} typed
   */
  write(incident, { name, kind, text }) {
    const draft = this.of(incident);
    // What is on its way is not changed any more.
    if (draft.state === 'sending') return this.#changed();
    Object.assign(draft, { kind, text });
    if (name !== this.#author) write('localStorage', NAME, name);
    this.#author = name;
    this.#remember();
    if (draft.state === 'idle') return;
    this.#set(draft, 'idle', '');
    this.#wake.get(incident)?.();
  }

  /**
   * Sends the draft of an incident. While it is on its way, another call changes nothing; while it waits, it is sent now.
   * @param {string} incident
   */
  async send(incident) {
    const draft = this.of(incident);
    if (draft.state === 'waiting') return this.#wake.get(incident)?.();
    if (draft.state === 'sending') return;
    draft.event = this.#eventOf(incident, draft);
    const { event } = draft;
    this.#remember();
    for (let attempt = 1; ; attempt += 1) {
      this.#set(draft, 'sending', draft.problem);
      let refused = null;
      try {
        await publish(event);
      } catch (error) {
        refused = error;
      }
      // The stream may have shown the event meanwhile.
      if (draft.event !== event) return;
      if (!refused) return this.#added(incident, draft);
      if (!refused.mayPass || attempt === ATTEMPTS) return this.#set(draft, 'failed', refused.message);
      this.#set(draft, 'waiting', refused.message);
      const wait = refused.retryAfter === undefined ? FIRST_WAIT_MS * 2 ** attempt : refused.retryAfter * 1000;
      await this.#sleep(incident, Math.min(wait, LONGEST_WAIT_MS));
      // The person may have gone on writing.
      if (draft.event !== event || draft.state !== 'waiting') return;
    }
  }

  /**
   * An event has come from the stream. Its own author need not wait for another answer.
   * @param {string} incident
   * @param {{source: string, id: string} | undefined} origin
   */
  heard(incident, origin) {
    if (origin?.source !== SOURCE) return;
    const draft = this.#drafts.get(incident);
    if (draft?.event?.id !== origin.id) return;
    // What was written since is not what was stored.
    if (this.#eventOf(incident, draft) === draft.event) this.#added(incident, draft);
    else draft.event = null;
  }

  /** The server is back: what waits is sent now. */
  hurry() {
    for (const wake of this.#wake.values()) wake();
  }

  #added(incident, draft) {
    Object.assign(draft, { text: '', event: null });
    this.#wake.get(incident)?.();
    this.#remember();
    this.#set(draft, 'added', '');
  }

  #set(draft, state, problem) {
    Object.assign(draft, { state, problem });
    this.#changed();
  }

  /** The event of before if nothing of it has changed: a new text gets a new id. */
  #eventOf(incident, { kind, text, event }) {
    const data = { agent: personCalled(this.#author.trim()), ...KINDS[kind], summary: text.trim() };
    if (event && JSON.stringify(event.data) === JSON.stringify(data)) return event;
    return {
      specversion: '1.0',
      id: randomId(),
      source: SOURCE,
      type: 'agent_action',
      subject: incident,
      time: new Date(this.#now()).toISOString(),
      data,
    };
  }

  #sleep(incident, ms) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wake.delete(incident);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wake.set(incident, wake);
    });
  }

  /** A reload, as after the end of a session, keeps what was not stored. */
  #remember() {
    const drafts = Array.from(this.#drafts, ([id, { kind, text, event }]) => [id, { kind, text, event }]);
    const kept = drafts.filter(([, { text }]) => text !== '');
    write('sessionStorage', DRAFTS, kept.length === 0 ? null : JSON.stringify(kept));
  }
}

/** Forgets the drafts: their author leaves. */
export function forgetDrafts() {
  write('sessionStorage', DRAFTS, null);
}

/** @returns {Draft} */
function empty() {
  return { kind: 'note', text: '', event: null, state: 'idle', problem: '' };
}

/** `crypto.randomUUID` is missing where the page came without encryption from another machine. */
function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function remembered() {
  try {
    const drafts = JSON.parse(read('sessionStorage', DRAFTS) ?? '[]');
    return drafts.filter(([, { kind, text }]) => Object.hasOwn(KINDS, kind) && typeof text === 'string');
  } catch {
    return [];
  }
}

/** Even naming a storage fails where it is not allowed. */
function read(storage, key) {
  try {
    return globalThis[storage].getItem(key);
  } catch {
    return null;
  }
}

function write(storage, key, value) {
  try {
    if (value === null) globalThis[storage].removeItem(key);
    else globalThis[storage].setItem(key, value);
  } catch {
    // Storage is not allowed or full, so it lasts as long as the page.
  }
}
