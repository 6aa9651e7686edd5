// Owns what the server answers over HTTP: the session, the scenarios, the states of incidents that the stream has not told, and which
// other servers there are.

import { listIncidents, listScenarios, listServers, session } from './api.js';
import { loadAll } from './parts.js';
import { howMany, learn } from './servers.js';

/** How often the server is asked again after it was busy, and how many seconds are waited at most. */
const ASK_AGAIN = 5;
const LONGEST_WAIT = 30;

export class Answers {
  /** @type {import('./api.js').Session | null} `null` while unknown */
  session = null;
  /** @type {import('./api.js').Scenario[] | null} `null` while unknown */
  scenarios = null;
  /** @type {import('./fold.js').IncidentState[]} */
  listed = [];
  /** How many open incidents are too large for the server to list. */
  leftOut = 0;
  /** What the newest answer says of incidents that go on by another time than the server's clock. @type {[string, number][]} */
  apart = [];
  /** Counts the rounds of questions: a new one takes the place of one that waits. */
  #asked = 0;

  /**
   * These incidents, and those that only the server knows.
   * @param {import('./fold.js').IncidentState[]} incidents
   */
  beside(incidents) {
    const known = new Set(incidents.map(({ id }) => id));
    return [...incidents, ...this.listed.filter(({ id }) => !known.has(id))];
  }

  /**
   * Keeps the last state of an incident that is forgotten elsewhere: what the server listed before is older.
   * @param {import('./fold.js').IncidentState} incident
   */
  ended(incident) {
    const place = this.listed.findIndex(({ id }) => id === incident.id);
    if (place >= 0) this.listed[place] = incident;
  }

  /**
   * Asks the server. One that is busy names when to ask again.
   * @param {() => void} answered is called after each round
   */
  async ask(answered, again = ASK_AGAIN) {
    const round = ++this.#asked;
    const asked = [session(), listScenarios(), listIncidents(), listServers()];
    const [access, scenarios, incidents, servers] = await Promise.allSettled(asked);
    // A later question may have been answered before.
    if (round !== this.#asked) return;
    if (access.status === 'fulfilled') this.session = access.value;
    if (scenarios.status === 'fulfilled') this.scenarios = scenarios.value;
    this.apart = [];
    if (incidents.status === 'fulfilled') ({ incidents: this.listed, leftOut: this.leftOut, apart: this.apart } = incidents.value);
    if (servers.status === 'fulfilled') learn(servers.value);
    // The server that the page came from may be away when a part is wanted.
    if (howMany() > 1) loadAll();
    answered();
    const waits = [access, scenarios, incidents, servers].map(({ reason }) => reason?.retryAfter).filter((s) => s !== undefined);
    if (waits.length === 0 || again === 0) return;
    // Spread, so that all pages of a restarted server do not ask at the same moment again.
    const seconds = Math.min(Math.max(...waits), LONGEST_WAIT) * (1 + Math.random() / 2);
    setTimeout(() => {
      if (round === this.#asked) this.ask(answered, again - 1);
    }, seconds * 1000);
  }
}
