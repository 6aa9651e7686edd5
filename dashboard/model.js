// Owns what the page knows: the board, the histories, the selection, and the server's answers over HTTP.

import { Additions } from './additions.js';
import { listIncidents, listScenarios, session, trigger } from './api.js';
import { keepChoice } from './choices.js';
import { STEP_MS, ServerClock, momentOf } from './clock.js';
import { isEventType, readData } from './contract.js';
import { fold, forgetEnded, newBoard } from './fold.js';
import { inHours } from './format.js';
import { History } from './history.js';
import { Lag } from './lag.js';
import { Loaded, load, record } from './loading.js';
import { Scrub } from './scrub.js';
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
 * @property {{seconds: number, done: number, total: number} | null} behind how far the newest event that this page has is behind
 *   the server's clock, and how many events of how many have arrived; `null` while the page shows the present
 * @property {import('./fold.js').IncidentState | null} incident the selected one, at the moment that is shown
 * @property {import('./fold.js').IncidentState | null} newest the selected one as it is now
 * @property {import('./clock.js').Moment | null} present what moves of it, now
 * @property {{offset_s: number, fresh: number, count: number} | null} scrub the earlier moment that is shown, the number of
 *   events since it was paused, and of those before it; `null` when the present is shown
 * @property {import('./history.js').Past | null} history of the selected one, up to the moment that is shown
 * @property {boolean} loading its events are being loaded
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
  scrub = new Scrub();
  #stream;
  #lag;
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
  /** Counts the rounds of questions: a new one takes the place of one that waits. */
  #asked = 0;
  /** Incidents whose events are being loaded, with the events that came meanwhile; and those that were loaded before. */
  #loading = new Map();
  #loaded = new Set();
  /** The incident and the moment that the page's address asks for, until they are there. */
  #wanted = null;

  /**
   * @param {import('./stream.js').Stream} stream
   * @param {() => void} changed
   */
  constructor(stream, changed) {
    this.#stream = stream;
    this.#lag = new Lag(stream, this.clock);
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
    this.#lag.took(event, live);
    const id = event.subject ?? '';
    const state = fold(this.#board, event);
    const incident = state ?? this.#find(id);
    if (!incident) {
      if (!isEventType(event.type)) this.#takeForeign(event, position, live);
      return;
    }
    if (!this.#histories.has(id)) {
      this.#histories.set(id, new History());
      this.#unseen.add(id);
      // The stream began in the middle of this incident.
      if (event.index > 1) this.#load(id);
    }
    this.additions.heard(id, (readData(event) ?? {}).origin);
    record(this.#histories.get(id), event, incident, { position, live }, state !== null);
    this.#loading.get(id)?.push([event, position, live]);
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
    this.#lag.opened();
    this.additions.hurry();
    if (anew) {
      this.#board = newBoard();
      this.#histories.clear();
      this.#unseen.clear();
      this.#loading.clear();
      this.#loaded.clear();
      this.#selected = null;
      this.scrub.live();
    }
    this.#ask({});
  }

  /**
   * A message has just arrived.
   * @param {string} time
   * @param {string} [incident] whose event it is
   * @param {boolean} [live]
   */
  heard(time, incident, live) {
    this.clock.observe(time, incident ?? null, live);
    if (incident === undefined) this.#lag.beat();
  }

  /** Stops the clock until the connection is back. */
  freeze() {
    this.#lag.freeze();
  }

  /**
   * Shows the incident, and the moment of it, that a link leads to, as soon as they are there.
   * @param {string} id
   * @param {number | null} offset_s
   */
  follow(id, offset_s) {
    this.#wanted = { id, offset_s };
    this.#changed();
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
      this.#load(id);
    }
    this.scrub.live();
    this.#changed();
  }

  /**
   * Moves the moment that is shown of the selected incident.
   * @param {(scrub: Scrub, incident: import('./fold.js').IncidentState, timeline: import('./timeline.js').Timeline,
   *   now_s: number) => void} move
   */
  move(move) {
    const incident = this.#selection();
    const history = incident && this.#histories.get(incident.id);
    if (history) move(this.scrub, incident, history.timeline, this.momentOf(incident).offset_s);
    this.#changed();
  }

  /** Closes an ended incident. */
  dismiss() {
    this.#dismissed.add(this.#selected);
    this.#selected = null;
    this.scrub.live();
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
    this.#arrive();
    const newest = this.#selection();
    const whole = newest && (this.#histories.get(newest.id) ?? null);
    const open = connection.state === 'live' ? this.#stream.caughtUp : connection.position !== null;
    const present = newest && this.momentOf(newest);
    const chosen = whole && this.scrub.of(newest.id);
    const shown = chosen ? this.scrub.shown(chosen, whole) : { incident: newest, history: whole, moment: present };
    return {
      mode: newest ? 'incident' : open && !this.#wanted ? 'quiet' : 'connecting',
      connection,
      frozen: connection.state !== 'live',
      behind: this.#lag.behind(),
      ...shown,
      newest,
      present,
      scrub: chosen && {
        offset_s: chosen.offset_s,
        count: chosen.count,
        fresh: whole.timeline.count - chosen.seen,
      },
      loading: newest !== null && this.#loading.has(newest.id),
      hours: newest !== null && inHours(newest, present.offset_s),
      tabs: this.#board.incidents.filter(({ id }) => !this.#dismissed.has(id)),
      unseen: this.#unseen,
      session: this.#session,
      mayWrite: this.#session?.scope === 'write',
      scenarios: this.#scenarios,
      triggered: this.#triggered,
      draft: newest && this.additions.of(newest.id),
      author: this.additions.author,
      last: this.#last(),
    };
  }

  /**
   * The moving numbers of an incident, now or at the loss of the connection.
   * @param {import('./fold.js').IncidentState} incident
   */
  momentOf(incident) {
    return momentOf(incident, this.#lag.now() + this.clock.apart(incident.id));
  }

  /** Shows what the page's address asks for once the stream has told all that it tells. */
  #arrive() {
    const { connection, caughtUp } = this.#stream;
    if (!this.#wanted || connection.state !== 'live' || !caughtUp) return;
    const { id, offset_s } = this.#wanted;
    const incident = this.#find(id);
    if (!incident || this.#loading.has(id)) {
      this.#load(id);
      return;
    }
    this.#wanted = null;
    this.#selected = id;
    if (offset_s === null) return;
    const { timeline } = this.#histories.get(id);
    this.scrub.at(incident, timeline, offset_s, this.momentOf(incident).offset_s);
  }

  /** Loads the events of an incident that the stream does not have from its start. What comes meanwhile is added to them. */
  async #load(id) {
    if (this.#loaded.has(id)) {
      if (this.#wanted?.id === id && !this.#loading.has(id)) this.#wanted = null;
      return;
    }
    this.#loaded.add(id);
    const meanwhile = [];
    this.#loading.set(id, meanwhile);
    let failure = '';
    const loaded = await load(id).catch((error) => {
      failure = error.message;
      return new Loaded();
    });
    // The log may be another one by now.
    if (this.#loading.get(id) !== meanwhile) return;
    this.#loading.delete(id);
    for (const event of meanwhile) loaded.take(...event);
    const place = this.#board.incidents.findLastIndex((incident) => incident.id === id);
    if (loaded.incident && loaded.incident.index >= (this.#board.incidents[place]?.index ?? 0)) {
      if (place >= 0) this.#board.incidents[place] = loaded.incident;
      else this.#board.incidents.unshift(loaded.incident);
      this.#histories.set(id, loaded.history);
    } else if (this.#histories.has(id)) this.#histories.get(id).missing = failure;
    if (failure && this.#wanted?.id === id) this.#triggered = { text: failure, id: null, failed: true };
    if (!this.#find(id) && this.#wanted?.id === id) this.#wanted = null;
    this.#changed();
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
    if (!this.#find(this.#selected) && !this.#wanted) {
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
