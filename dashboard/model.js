// Owns what the page knows: the board, histories, the selection, and what the server said over HTTP.

import { listIncidents, listScenarios, session, trigger } from './api.js';
import { ServerClock, momentOf } from './clock.js';
import { fold, forgetEnded, newBoard } from './fold.js';
import { inHours } from './format.js';
import { History } from './history.js';

/** Ended incidents are forgotten beyond this many. */
const KEEP = 12;

/**
 * @typedef {object} View what panels draw
 * @property {'connecting' | 'quiet' | 'incident'} mode
 * @property {import('./stream.js').Connection} connection
 * @property {boolean} frozen there is no connection: nothing may run on
 * @property {import('./fold.js').IncidentState | null} incident the selected one
 * @property {History | null} history of the selected one
 * @property {boolean} hours whether its times are told in hours
 * @property {import('./clock.js').Moment | null} moment
 * @property {import('./fold.js').IncidentState[]} tabs
 * @property {Set<string>} unseen ids that were never selected
 * @property {import('./api.js').Session | null} session `null` while unknown
 * @property {boolean} mayTrigger
 * @property {import('./api.js').Scenario[] | null} scenarios `null` while unknown
 * @property {{text: string, id: string | null, failed: boolean} | null} triggered how the last trigger went
 * @property {import('./fold.js').IncidentState | null} last the result to show while all is quiet
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
  #told = [];
  #triggered = null;
  /** The incident that this page started and has not seen yet. */
  #awaited = null;
  #frozenAt = null;

  /**
   * @param {import('./stream.js').Stream} stream
   * @param {() => void} changed
   */
  constructor(stream, changed) {
    this.#stream = stream;
    this.#changed = changed;
  }

  /** Takes in one event of the stream. */
  take(event, position, live) {
    const state = fold(this.#board, event);
    const id = event.subject ?? '';
    const known = state ?? this.#find(id);
    if (!known) return;
    if (!this.#histories.has(id)) {
      this.#histories.set(id, new History());
      this.#unseen.add(id);
    }
    this.#histories.get(id).take(event, position, live, event.data.phase ?? known.phase ?? '');
    if (known.state !== 'open' && this.#board.incidents.length > KEEP) this.#forget();
  }

  /** Events from `from` to `to` will never come. Any open incident may have lost some. */
  gap(from, to) {
    for (const [id, history] of this.#histories) {
      if (this.#find(id)?.state === 'open') history.gap(from, to);
    }
    this.#ask({ adopt: true });
  }

  /**
   * A connection begins.
   * @param {{server_time: string}} opened
   * @param {boolean} anew what we know is of another log
   */
  opened(opened, anew) {
    this.clock.restart(opened.server_time);
    this.#frozenAt = null;
    if (anew) {
      this.#board = newBoard();
      this.#histories.clear();
      this.#unseen.clear();
      this.#selected = null;
    }
    this.#ask({});
  }

  /** The connection is gone: time stands still until it is back. */
  freeze() {
    this.#frozenAt ??= this.clock.now();
  }

  /** @param {string} id */
  select(id) {
    this.#selected = id;
    this.#dismissed.delete(id);
    // An ended one that only the server still knows: from "last result".
    const told = this.#told.find((incident) => incident.id === id);
    if (told && !this.#find(id)) {
      this.#board.incidents.unshift(told);
      this.#histories.set(id, new History());
    }
    this.#changed();
  }

  /** Puts an ended incident away. */
  dismiss() {
    this.#dismissed.add(this.#selected);
    this.#selected = null;
    this.#changed();
  }

  /** @param {string} scenario */
  async trigger(scenario) {
    this.#triggered = { text: `Starting ${scenario} …`, id: null, failed: false };
    this.#changed();
    try {
      const { id } = await trigger(scenario);
      this.#awaited = id;
      this.#triggered = { text: `Started ${id}`, id, failed: false };
    } catch (error) {
      this.#triggered = { text: error.message, id: null, failed: true };
    }
    this.#changed();
  }

  /** @returns {View} */
  view() {
    const { connection } = this.#stream;
    const incident = this.#selection();
    const history = incident && (this.#histories.get(incident.id) ?? null);
    const open = connection.state === 'live' ? this.#stream.caughtUp : connection.position !== null;
    return {
      mode: incident ? 'incident' : open ? 'quiet' : 'connecting',
      connection,
      frozen: connection.state !== 'live',
      incident,
      history,
      hours: incident !== null && inHours(incident),
      moment: incident && this.momentOf(incident),
      tabs: this.#board.incidents.filter(({ id }) => !this.#dismissed.has(id)),
      unseen: this.#unseen,
      session: this.#session,
      mayTrigger: this.#session?.scope === 'write',
      scenarios: this.#scenarios,
      triggered: this.#triggered,
      last: this.#last(),
    };
  }

  /**
   * What moves of an incident, now or when the connection was lost.
   * @param {import('./fold.js').IncidentState} incident
   */
  momentOf(incident) {
    return momentOf(incident, this.#frozenAt ?? this.clock.now());
  }

  /**
   * A new incident never takes the screen from one that is shown; it only fills an empty screen. The one that
   * was started here may take it from an ended one: that is what the person is waiting for.
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
    const ended = [...this.#board.incidents, ...this.#told].filter(({ state }) => state !== 'open');
    return ended.reduce((last, one) => (last && Date.parse(last.time) >= Date.parse(one.time) ? last : one), null);
  }

  #forget() {
    forgetEnded(this.#board, KEEP);
    for (const id of this.#histories.keys()) {
      if (!this.#find(id)) this.#histories.delete(id);
    }
  }

  /**
   * Asks the server for what the stream does not tell. With `adopt`, states that are ahead of ours replace ours:
   * after a gap, the server's fold knows what the lost events said.
   */
  async #ask({ adopt = false }) {
    const [told, scenarios, incidents] = await Promise.allSettled([session(), listScenarios(), listIncidents()]);
    if (told.status === 'fulfilled') this.#session = told.value;
    if (scenarios.status === 'fulfilled') this.#scenarios = scenarios.value;
    if (incidents.status === 'fulfilled') this.#told = incidents.value;
    if (adopt) {
      for (const told of this.#told) {
        const place = this.#board.incidents.findLastIndex(({ id }) => id === told.id);
        if (place >= 0 && told.index > this.#board.incidents[place].index) this.#board.incidents[place] = told;
      }
    }
    this.#changed();
  }
}
