// Owns what the page knows: the board, the histories, the selection, and the server's answers over HTTP.

import { Additions } from './additions.js';
import { Answers } from './answers.js';
import { STEP_MS, ServerClock, momentOf } from './clock.js';
import { isEventType, readData } from './contract.js';
import { fold, forgetEnded, newBoard } from './fold.js';
import { inHours } from './format.js';
import { History } from './history.js';
import { Lag } from './lag.js';
import { record } from './loading.js';
import { Loads } from './loads.js';
import { Places } from './places.js';
import { Replay } from './replay.js';
import { Scrub } from './scrub.js';
import { Starting } from './starting.js';
import { secondOf } from './timemap.js';
import { lastEnded } from './urgency.js';

/** Ended incidents are forgotten beyond this many. */
const KEEP = 12;

/**
 * @typedef {object} View what panels draw
 * @property {'connecting' | 'quiet' | 'incident' | 'board' | 'compare'} mode `board` is the list of all incidents
 * @property {[string, string] | null} compare ids of the two runs that are compared
 * @property {import('./stream.js').Connection} connection
 * @property {boolean} frozen there is no connection, so clocks and numbers stand still
 * @property {{seconds: number, done: number, total: number} | null} behind how far the newest event that this page has is behind
 *   the server's clock, and how many events of how many have arrived; `null` while the page shows the present
 * @property {import('./fold.js').IncidentState | null} incident the selected one, at the moment that is shown
 * @property {import('./fold.js').IncidentState | null} newest the selected one as it is now
 * @property {import('./clock.js').Moment | null} present what moves of it, now
 * @property {{offset_s: number, fresh: number, count: number, playing: boolean} | null} scrub the earlier moment that is shown,
 *   the number of events since it was paused, of those before it, and whether it is a replay; `null` when the present is shown
 * @property {import('./history.js').Past | null} history of the selected one, up to the moment that is shown
 * @property {boolean} loading its events are being loaded
 * @property {boolean} hours whether its times are written with hours
 * @property {import('./clock.js').Moment | null} moment
 * @property {import('./fold.js').IncidentState[]} tabs
 * @property {Set<string>} unseen ids that were never selected
 * @property {import('./fold.js').IncidentState[]} all every known incident, also those that only the server knows; empty while
 *   the list of them is not shown
 * @property {number} leftOut how many open incidents are too large for the server to list
 * @property {Set<string>} pinned ids of those that a person keeps as tabs
 * @property {import('./api.js').Session | null} session `null` while unknown
 * @property {boolean} mayWrite the session may start incidents and add to them
 * @property {import('./api.js').Scenario[] | null} scenarios `null` while unknown
 * @property {import('./starting.js').Triggered | null} triggered the result of the last trigger
 * @property {import('./additions.js').Draft | null} draft what the person at this page adds to the selected incident
 * @property {string} author that person's name; empty while unknown
 * @property {import('./fold.js').IncidentState | null} last the newest ended incident, for the quiet page
 */

export class Model {
  clock = new ServerClock();
  scrub = new Scrub();
  replay = new Replay(this);
  #stream;
  #lag;
  #changed;
  #board = newBoard();
  #histories = new Map();
  #selected = null;
  #places = new Places();
  #dismissed = new Set();
  #unseen = new Set();
  #answers = new Answers();
  #starting;
  #loads = new Loads();
  #tell;
  /** The incident and the moment that the page's address asks for, until they are there. */
  #wanted = null;
  lookedUp = new Set(); // Ids of incidents that a person has opened and the stream has not told.

  /**
   * @param {import('./stream.js').Stream} stream
   * @param {() => void} changed
   * @param {(text: string) => void} tell says to the person that something they wanted did not work
   */
  constructor(stream, changed, tell = () => {}) {
    this.#stream = stream;
    this.#tell = tell;
    this.#lag = new Lag(stream, this.clock, changed);
    this.#changed = changed;
    this.#starting = new Starting(changed);
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
    this.#loads.heard(id, [event, position, live]);
    if (incident.state !== 'open') this.#forget();
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
      const incident = this.#find(id);
      if (incident?.state === 'open') history.gap(from, to, incident.offset_s);
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
      this.#loads.clear();
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
    this.#places.chosen = true;
    this.#wanted = { id, offset_s };
    this.#changed();
  }

  /** @param {string} id */
  select(id) {
    this.go((places) => places.toIncident());
    this.#selected = id;
    this.#dismissed.delete(id);
    // "Last result" can name an ended incident that is only known over HTTP.
    const listed = this.#answers.listed.find((incident) => incident.id === id);
    if (listed && !this.#find(id)) {
      this.lookedUp.add(id);
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

  /**
   * Goes to another part of the page. What was in the list is not new any more.
   * @param {(places: Places) => void} move
   */
  go(move) {
    if (this.#places.list) this.#unseen.clear();
    move(this.#places);
    if (this.#places.mode) this.#ask({});
    this.#changed();
  }

  /** @param {string} id of an incident that a person keeps as a tab, or no longer */
  pin(id) {
    this.#places.pin(id);
    this.#changed();
  }

  /** Closes an ended incident. */
  dismiss() {
    this.#dismissed.add(this.#selected);
    this.#selected = null;
    this.scrub.live();
    this.#changed();
  }

  /** @param {import('./starting.js').Wanted} wanted */
  trigger(wanted) {
    return this.#starting.start(wanted);
  }

  /** @returns {View} */
  view() {
    const { connection } = this.#stream;
    this.#arrive();
    const newest = this.#selection();
    this.#settle();
    const whole = newest && (this.#histories.get(newest.id) ?? null);
    const open = connection.state === 'live' ? this.#stream.caughtUp : connection.position !== null;
    const present = newest && this.momentOf(newest);
    const chosen = whole && this.scrub.of(newest.id);
    const shown = chosen ? this.scrub.shown(chosen, whole) : { incident: newest, history: whole, moment: present };
    return {
      mode: (open && this.#places.mode) || (newest ? 'incident' : open && !this.#wanted ? 'quiet' : 'connecting'),
      connection,
      frozen: connection.state !== 'live',
      behind: this.#lag.behind(),
      ...shown,
      newest,
      present,
      scrub: chosen && {
        offset_s: chosen.offset_s,
        count: chosen.count,
        playing: this.replay.playing,
        fresh: whole.timeline.count - chosen.seen,
      },
      loading: newest !== null && this.#loads.has(newest.id),
      hours: newest !== null && [present.offset_s, whole?.timeline.first_s ?? 0].some((second) => inHours(newest, second)),
      tabs: this.#board.incidents.filter(({ id }) => !this.#dismissed.has(id)),
      unseen: this.#unseen,
      compare: this.#places.compared,
      all: this.#places.mode ? this.all() : [],
      leftOut: this.#answers.leftOut,
      pinned: this.#places.pinned,
      session: this.#answers.session,
      mayWrite: this.#answers.session?.scope === 'write',
      scenarios: this.#answers.scenarios,
      triggered: this.#starting.triggered,
      draft: newest && this.additions.of(newest.id),
      author: this.additions.author,
      last: lastEnded([...this.#board.incidents, ...this.#answers.listed], this.clock.now() + STEP_MS),
    };
  }

  /**
   * The moving numbers of an incident, now or at the loss of the connection.
   * @param {import('./fold.js').IncidentState} incident
   */
  momentOf(incident) {
    return momentOf(incident, this.#lag.now() + this.clock.apart(incident.id));
  }

  /** One who comes to many open incidents is shown the list of them. */
  #settle() {
    const { connection, caughtUp } = this.#stream;
    if (connection.state !== 'live' || !caughtUp || !this.#places.settle(this.#board.incidents)) return;
    this.#unseen.clear();
    this.#ask({});
  }

  /** Every incident that this page or the server knows. */
  all() {
    return this.#answers.beside(this.#board.incidents);
  }

  /** Shows what the page's address asks for once the stream has told all that it tells. */
  #arrive() {
    const { connection, caughtUp } = this.#stream;
    if (!this.#wanted || connection.state !== 'live' || !caughtUp) return;
    const { id, offset_s } = this.#wanted;
    const incident = this.#find(id);
    if (!incident || this.#loads.has(id)) {
      this.#load(id);
      return;
    }
    this.#wanted = null;
    this.#selected = id;
    if (offset_s === null) return;
    const { timeline } = this.#histories.get(id);
    this.scrub.at(incident, timeline, offset_s, this.momentOf(incident).offset_s);
  }

  /** Loads the events of an incident that the stream does not have from its start. */
  async #load(id) {
    if (this.#loads.asked(id)) {
      if (this.#wanted?.id === id && !this.#loads.has(id)) this.#wanted = null;
      return;
    }
    const found = await this.#loads.load(id);
    if (!found) return;
    const { loaded, failure } = found;
    const place = this.#board.incidents.findLastIndex((incident) => incident.id === id);
    if (loaded.incident && loaded.incident.index >= (this.#board.incidents[place]?.index ?? 0)) {
      if (place >= 0) this.#board.incidents[place] = loaded.incident;
      else {
        this.lookedUp.add(id);
        this.#board.incidents.unshift(loaded.incident);
      }
      this.scrub.reloaded(id, this.#histories.get(id)?.timeline, loaded.history.timeline);
      this.#histories.set(id, loaded.history);
    } else if (this.#histories.has(id)) this.#histories.get(id).missing = failure;
    if (failure && !this.#find(id)) this.#loads.forget(id);
    if (failure && this.#wanted?.id === id) this.#tell(failure);
    if (!this.#find(id) && this.#wanted?.id === id) this.#wanted = null;
    this.#changed();
  }

  /**
   * A new incident never replaces the one on screen. It is only selected when none is shown. An incident that was
   * started on this page may replace an ended one, because the person waits for it.
   */
  #selection() {
    const awaited = this.#find(this.#starting.awaited);
    if (awaited) {
      this.#starting.awaited = null;
      if (this.#find(this.#selected)?.state !== 'open') this.#selected = awaited.id;
    }
    if (!this.#find(this.#selected) && !this.#wanted) {
      this.#selected = this.#board.incidents.find(({ state }) => state === 'open')?.id ?? null;
    }
    if (!this.#places.mode) this.#unseen.delete(this.#selected);
    return this.#find(this.#selected) ?? null;
  }

  #find(id) {
    return this.#board.incidents.findLast((incident) => incident.id === id);
  }

  #forget() {
    const isNeeded = (id) => id === this.#selected || this.#loads.has(id) || this.#places.pinned.has(id);
    for (const incident of forgetEnded(this.#board, KEEP, isNeeded)) {
      if (this.#find(incident.id)) continue;
      this.#histories.delete(incident.id);
      this.#loads.forget(incident.id);
      this.#answers.ended(incident);
    }
  }

  /**
   * Asks the server for what is not in the stream. With `adopt`, newer states from the server replace the ones here:
   * after a gap, they include the lost events. A server that is busy names when to ask again.
   */
  #ask({ adopt = false }) {
    this.#answers.ask(() => {
      this.clock.agree(this.#answers.apart);
      if (adopt) this.#adopt();
      this.#changed();
    });
  }

  #adopt() {
    for (const listed of this.#answers.listed) {
      const place = this.#board.incidents.findLastIndex(({ id }) => id === listed.id);
      if (place >= 0 && listed.index > this.#board.incidents[place].index) this.#board.incidents[place] = listed;
    }
  }
}
