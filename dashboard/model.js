// Owns what the page knows: the board, the histories, the selection, and the server's answers over HTTP.

import { Additions } from './additions.js';
import { listIncidents, listScenarios, session, trigger } from './api.js';
import { keepChoice } from './choices.js';
import { STEP_MS, ServerClock, momentOf } from './clock.js';
import { isEventType, readData } from './contract.js';
import { fold, forgetEnded, newBoard } from './fold.js';
import { inHours } from './format.js';
import { History } from './history.js';
import { secondOf } from './timemap.js';

/** How often the server is asked again after it was busy, and how many seconds are waited at most. */
const ASK_AGAIN = 5;
const LONGEST_WAIT = 30;

/** Ended incidents are forgotten beyond this many. */
const KEEP = 12;

/**
 * @typedef {object} View what panels draw
 * @property {'connecting' | 'quiet' | 'incident'} mode
 * @property {import('./stream.js').Connection} connection
 * @property {boolean} frozen there is no connection, so clocks and numbers stand still
 * @property {import('./fold.js').IncidentState | null} incident the selected one
 * @property {History | null} history of the selected one
 * @property {boolean} hours whether its times are written with hours
 * @property {import('./clock.js').Moment | null} moment
 * @property {import('./fold.js').IncidentState[]} tabs
 * @property {Set<string>} unseen ids that were never selected
 * @property {import('./api.js').Session | null} session `null` while unknown
 * @property {boolean} mayWrite the session may start incidents and add to them
 * @property {import('./api.js').Scenario[] | null} scenarios `null` while unknown
 * @property {Triggered | null} triggered the result of the last trigger
 * @property {import('./additions.js').Draft | null} draft what the person at this page adds to the selected incident
 * @property {string} author that person's name; empty while unknown
 * @property {import('./fold.js').IncidentState | null} last the newest ended incident, for the quiet page
 */

/**
 * @typedef {object} Triggered
 * @property {string} text
 * @property {'pending' | 'started' | 'failed'} state
 * @property {boolean} failed
 * @property {string | null} id of the incident
 * @property {object | null} of the form that waits for it
 * @property {{pointer: string, detail: string}[]} members what is wrong with which member of the request
 */

export class Model {
  clock = new ServerClock();
  #stream;
  #changed;
  #board = newBoard();
  #histories = new Map();
  #selected = null;
  #dismissed = new Set();
  #unseen = new Set();
  #session = null;
  #scenarios = null;
  /** The states that the server sent over HTTP. */
  #listed = [];
  #triggered = null;
  /** The incident that this page started and that has not appeared in the stream yet. */
  #awaited = null;
  #frozenAt = null;
  /** Counts the rounds of questions: a new one takes the place of one that waits. */
  #asked = 0;

  /**
   * @param {import('./stream.js').Stream} stream
   * @param {() => void} changed
   */
  constructor(stream, changed) {
    this.#stream = stream;
    this.#changed = changed;
    this.additions = new Additions(() => this.clock.now(), changed);
  }

  /**
   * Takes in one event of the stream.
   * @param {import('./contract.js').Envelope} event
   * @param {number} position
   * @param {boolean} live it arrived as it happened, not in a replay
   */
  take(event, position, live) {
    const state = fold(this.#board, event);
    const id = event.subject ?? '';
    const incident = state ?? this.#find(id);
    if (!incident) {
      if (!isEventType(event.type)) this.#takeForeign(event, position, live);
      return;
    }
    if (!this.#histories.has(id)) {
      this.#histories.set(id, new History());
      this.#unseen.add(id);
    }
    const data = readData(event) ?? {};
    this.additions.heard(id, data.origin);
    const phase = data.phase ?? incident.phase ?? '';
    const offset_s = secondOf(event, data, incident.impact_started_at) ?? incident.offset_s;
    this.#histories.get(id).take(event, { position, live, phase, offset_s });
    if (incident.state !== 'open' && this.#board.incidents.length > KEEP) this.#forget();
  }

  /** An unknown event that cannot be assigned to an incident is shown in the feed of each open one. */
  #takeForeign(event, position, live) {
    for (const [id, history] of this.#histories) {
      const incident = this.#find(id);
      if (incident?.state !== 'open') continue;
      const offset_s = secondOf(event, {}, incident.impact_started_at) ?? incident.offset_s;
      history.takeForeign(event, { position, live, phase: incident.phase ?? '', offset_s });
    }
  }

  /** Events from `from` to `to` will never arrive. Each open incident may have lost some. */
  gap(from, to) {
    for (const [id, history] of this.#histories) {
      if (this.#find(id)?.state === 'open') history.gap(from, to);
    }
    this.#ask({ adopt: true });
  }

  /**
   * A connection begins.
   * @param {{server_time: string}} opened
   * @param {boolean} anew the log is another one, so everything known so far is forgotten
   */
  opened(opened, anew) {
    this.clock.restart(opened.server_time);
    this.#frozenAt = null;
    this.additions.hurry();
    if (anew) {
      this.#board = newBoard();
      this.#histories.clear();
      this.#unseen.clear();
      this.#selected = null;
    }
    this.#ask({});
  }

  /** Stops the clock until the connection is back. */
  freeze() {
    this.#frozenAt ??= this.clock.now();
  }

  /** @param {string} id */
  select(id) {
    this.#selected = id;
    this.#dismissed.delete(id);
    // "Last result" can name an ended incident that is only known over HTTP.
    const listed = this.#listed.find((incident) => incident.id === id);
    if (listed && !this.#find(id)) {
      this.#board.incidents.unshift(listed);
      this.#histories.set(id, new History());
    }
    this.#changed();
  }

  /** Closes an ended incident. */
  dismiss() {
    this.#dismissed.add(this.#selected);
    this.#selected = null;
    this.#changed();
  }

  /**
   * Starts an incident.
   * @param {{scenario: string, choice: import('./choices.js').Choice, of?: object}} wanted `of` is the form that waits for
   *   the answer
   */
  async trigger({ scenario, choice, of = null }) {
    const told = (state, more) => {
      this.#triggered = { id: null, of, state, failed: state === 'failed', members: [], ...more };
      this.#changed();
    };
    told('pending', { text: `Starting ${scenario} …` });
    try {
      const { id } = await trigger(scenario, choice);
      keepChoice(scenario, choice);
      this.#awaited = id;
      told('started', { text: `Started ${id}`, id });
    } catch (error) {
      told('failed', { text: error.message, members: error.members ?? [] });
    }
  }

  /** @returns {View} */
  view() {
    const { connection } = this.#stream;
    const incident = this.#selection();
    const history = incident && (this.#histories.get(incident.id) ?? null);
    const open = connection.state === 'live' ? this.#stream.caughtUp : connection.position !== null;
    const moment = incident && this.momentOf(incident);
    return {
      mode: incident ? 'incident' : open ? 'quiet' : 'connecting',
      connection,
      frozen: connection.state !== 'live',
      incident,
      history,
      hours: incident !== null && inHours(incident, moment.offset_s),
      moment,
      tabs: this.#board.incidents.filter(({ id }) => !this.#dismissed.has(id)),
      unseen: this.#unseen,
      session: this.#session,
      mayWrite: this.#session?.scope === 'write',
      scenarios: this.#scenarios,
      triggered: this.#triggered,
      draft: incident && this.additions.of(incident.id),
      author: this.additions.author,
      last: this.#last(),
    };
  }

  /**
   * The moving numbers of an incident, now or at the loss of the connection.
   * @param {import('./fold.js').IncidentState} incident
   */
  momentOf(incident) {
    return momentOf(incident, (this.#frozenAt ?? this.clock.now()) + this.clock.apart(incident.id));
  }

  /**
   * A new incident never replaces the one on screen. It is only selected when none is shown. An incident that was
   * started on this page may replace an ended one, because the person waits for it.
   */
  #selection() {
    const awaited = this.#find(this.#awaited);
    if (awaited) {
      this.#awaited = null;
      if (this.#find(this.#selected)?.state !== 'open') this.#selected = awaited.id;
    }
    if (!this.#find(this.#selected)) {
      this.#selected = this.#board.incidents.find(({ state }) => state === 'open')?.id ?? null;
    }
    this.#unseen.delete(this.#selected);
    return this.#find(this.#selected) ?? null;
  }

  #find(id) {
    return this.#board.incidents.findLast((incident) => incident.id === id);
  }

  #last() {
    const ended = [...this.#board.incidents, ...this.#listed].filter(({ state }) => state !== 'open');
    // A run with the clock years ahead is not the newest for years.
    const future = this.clock.now() + STEP_MS;
    const endedAt = ({ time }) => (Date.parse(time) > future ? 0 : Date.parse(time));
    return ended.reduce((last, one) => (last && endedAt(last) >= endedAt(one) ? last : one), null);
  }

  #forget() {
    forgetEnded(this.#board, KEEP);
    for (const id of this.#histories.keys()) {
      if (!this.#find(id)) this.#histories.delete(id);
    }
  }

  /**
   * Asks the server for what is not in the stream. With `adopt`, newer states from the server replace the ones here:
   * after a gap, they include the lost events. A server that is busy names when to ask again.
   */
  async #ask({ adopt = false }, again = ASK_AGAIN) {
    const round = ++this.#asked;
    const [access, scenarios, incidents] = await Promise.allSettled([session(), listScenarios(), listIncidents()]);
    if (access.status === 'fulfilled') this.#session = access.value;
    if (scenarios.status === 'fulfilled') this.#scenarios = scenarios.value;
    if (incidents.status === 'fulfilled') this.#listed = incidents.value;
    if (adopt) {
      for (const listed of this.#listed) {
        const place = this.#board.incidents.findLastIndex(({ id }) => id === listed.id);
        if (place >= 0 && listed.index > this.#board.incidents[place].index) this.#board.incidents[place] = listed;
      }
    }
    this.#changed();
    const waits = [access, scenarios, incidents].map(({ reason }) => reason?.retryAfter).filter((s) => s !== undefined);
    if (waits.length === 0 || again === 0) return;
    // Spread, so that all pages of a restarted server do not ask at the same moment again.
    const seconds = Math.min(Math.max(...waits), LONGEST_WAIT) * (1 + Math.random() / 2);
    setTimeout(() => {
      if (round === this.#asked) this.#ask({ adopt }, again - 1);
    }, seconds * 1000);
  }
}
