// Owns the socket: opens it, resumes at the last position, backs off, watches the heartbeat, counts lost events.

import { eventsUrl, socketUrl } from './api.js';
import { LEFT, LONG, readBacklog } from './backlog.js';
import { isControlType, isEventType, readControl, readData, readFrame } from './contract.js';
import { goOn, howMany } from './servers.js';

const BACKOFF_BASE_MS = 250;
const BACKOFF_CAP_MS = 5000;
/** How long a connection may take until its first frame, and with which of several servers. */
const OPENING_MS = 5000;
const OPENING_ONE_OF_MS = 3000;
/** After this many missing heartbeats the connection counts as dead. */
const SILENT_BEATS = 2.5;
/** After this long without a server, the page shows an alert. */
const GONE_MS = 5000;

/** Close codes in words. */
const CLOSED = {
  1001: 'the server is going away',
  1012: 'the server is restarting',
  1013: 'the server sends clients to another one',
  4008: 'this page read too slowly',
  4009: 'this page did not answer the pings',
};

/**
 * @typedef {object} Connection
 * @property {'connecting' | 'live' | 'reconnecting' | 'gone'} state
 * @property {string} url of the socket
 * @property {string | null} logInAt the page of a server that wants a log-in before it lets this page in
 * @property {string} reason why the last connection ended; empty before the first end
 * @property {number} attempt number of tries since a connection last brought an event or a heartbeat
 * @property {number | null} downSince `performance.now()` of the loss
 * @property {number | null} retryAt `performance.now()` of the next try
 * @property {string | null} paused why the server publishes no events; `null` when it does
 * @property {number} unreadable frames that do not fit the contract
 * @property {number} unknown events of a type that this page does not know
 * @property {{stream: string, last: number} | null} position
 * @property {number} received distinct events, ever
 */

/**
 * @typedef {object} Recovery
 * @property {number} seconds without a connection
 * @property {number} replayed events that were sent again or late
 * @property {number | null} lost events that the server no longer has; `null` when the log is another one
 */

/**
 * @typedef {object} Handlers
 * @property {(event: import('./contract.js').Envelope, position: number, live: boolean) => void} event
 * @property {(opened: object, anew: boolean) => void} opened `anew`: the log is another one, so forget everything
 * @property {(from: number, to: number) => void} gap positions that will never arrive
 * @property {(recovery: Recovery) => void} recovered
 * @property {() => void} changed the connection changed
 * @property {() => void} refused a connection attempt failed; a browser does not say why
 * @property {(time: string, incident?: string, live?: boolean) => void} heard a message with that time has just
 *   arrived: an event of an incident, live or replayed, or a message of the server itself
 */

export class Stream {
  /** @type {Connection} */
  connection;
  #handlers;
  #socket = null;
  #opened = false;
  #heartbeatMs = OPENING_MS / SILENT_BEATS;
  #heardAt = 0;
  #watch = 0;
  #retry = 0;
  #gone = 0;
  /** Last position of the replay. Later events are live. */
  #replayTo = 0;
  /** First position that this connection follows. */
  #from = 0;
  /** Set from `stream_opened` to the end of the replay. A replay can take several connections. */
  #recovery = null;
  /** A long replay is being read over HTTP. @type {AbortController | null} */
  #backlog = null;
  /** Nothing came over HTTP, as behind a proxy that keeps answers until they end, so that all replays come through the socket. */
  #socketOnly = false;
  /** The next socket goes on where a replay over HTTP ended, so that nothing is interrupted. */
  #goesOn = false;

  /**
   * @param {string} url of the socket, without a position
   * @param {Handlers} handlers
   */
  constructor(url, handlers) {
    this.#handlers = handlers;
    this.connection = {
      state: 'connecting',
      url,
      logInAt: null,
      reason: '',
      attempt: 0,
      downSince: null,
      retryAt: null,
      paused: null,
      unreadable: 0,
      unknown: 0,
      position: null,
      received: 0,
    };
    addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => document.hidden || this.#hurry());
  }

  /** Connects, and reconnects whenever the connection is lost. */
  start() {
    this.#down();
    this.#connect();
  }

  /** Whether the whole replay has arrived. */
  get caughtUp() {
    return this.#opened && (this.connection.position?.last ?? 0) >= this.#replayTo;
  }

  /**
   * How much of what this connection follows has arrived, in events.
   * @returns {{done: number, total: number}}
   */
  get progress() {
    const last = this.connection.position?.last ?? 0;
    return { done: Math.max(0, last - this.#from + 1), total: Math.max(last, this.#replayTo) - this.#from + 1 };
  }

  /** Milliseconds for which the last message vouches: it was heard a while ago, and the next is due after a heartbeat. */
  get vouched() {
    return this.#heartbeatMs - (performance.now() - this.#heardAt);
  }

  /** Milliseconds between two heartbeats. */
  get heartbeat() {
    return this.#heartbeatMs;
  }

  /** A server other than the page's own lets only those in who have logged in there. @param {string} page its address */
  needsLogIn(page) {
    this.connection.logInAt = page;
    this.#handlers.changed();
  }

  #connect() {
    clearTimeout(this.#retry);
    const { connection } = this;
    connection.attempt += 1;
    connection.retryAt = null;
    if (howMany() > 1) connection.url = socketUrl();
    const url = new URL(connection.url);
    if (connection.position) url.searchParams.set('after', this.#place);
    const socket = new WebSocket(url, ['cloudevents.json']);
    this.#socket = socket;
    this.#opened = this.#goesOn;
    this.#heartbeatMs = (howMany() > 1 ? OPENING_ONE_OF_MS : OPENING_MS) / SILENT_BEATS;
    socket.onmessage = (message) => socket === this.#socket && this.#receive(message.data);
    socket.onclose = (close) => socket === this.#socket && this.#closed(close.code);
    this.#heard();
    this.#listen();
    this.#handlers.changed();
  }

  #closed(code) {
    this.#lose(CLOSED[code] ?? (this.#opened ? 'the connection broke' : 'no connection'));
  }

  /** Ends the current socket, if there is one, and schedules the next attempt. */
  #lose(reason) {
    const socket = this.#socket;
    this.#socket = null;
    this.#goesOn = false;
    clearTimeout(this.#watch);
    socket?.close();
    this.#backlog?.abort();
    this.#backlog = null;
    const { connection } = this;
    if (this.#opened || !connection.reason) connection.reason = reason;
    if (!this.#opened) this.#handlers.refused();
    this.#opened = false;
    if (connection.downSince === null) this.#down();
    goOn();
    // Full jitter, so that a thousand pages do not reconnect in the same instant. The first try comes soon, and the waits
    // grow when each server was tried.
    const round = Math.floor(connection.attempt / howMany());
    const longest = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** round);
    const wait = Math.random() * longest;
    connection.retryAt = performance.now() + wait;
    this.#retry = setTimeout(() => this.#connect(), wait);
    this.#handlers.changed();
  }

  #down() {
    const { connection } = this;
    connection.downSince = performance.now();
    if (connection.state === 'live') connection.state = 'reconnecting';
    this.#gone = setTimeout(() => {
      connection.state = 'gone';
      this.#handlers.changed();
    }, GONE_MS);
  }

  /** The network is back or the page is visible again: act now instead of waiting for a timer. */
  #hurry() {
    if (this.#socket === null && this.connection.downSince !== null) this.#connect();
    else if (this.#socket) this.#listen();
  }

  /** A message only notes the time. The timer looks at it when it fires, because a replay has thousands of messages. */
  #heard() {
    this.#heardAt = performance.now();
  }

  #listen() {
    clearTimeout(this.#watch);
    const silent = performance.now() - this.#heardAt;
    const longest = this.#heartbeatMs * SILENT_BEATS;
    if (silent >= longest) this.#lose(`no message for ${(silent / 1000).toFixed(1)} s`);
    else this.#watch = setTimeout(() => this.#listen(), longest - silent);
  }

  /** The position as a server knows it. */
  get #place() {
    const { stream, last } = this.connection.position;
    return `${stream}/${last}`;
  }

  /** Reads the replay over HTTP instead. The next socket goes on after it, or after as much of it as came. */
  async #readBacklog() {
    const socket = this.#socket;
    this.#socket = null;
    socket.close();
    const backlog = new AbortController();
    this.#backlog = backlog;
    this.#socketOnly = true;
    const { last } = this.connection.position;
    const take = (frame) => {
      if (this.#backlog === backlog) this.#receive(frame);
      if (this.#backlog !== backlog) return false;
      this.#socketOnly &&= this.connection.position.last === last;
      return this.connection.position.last < this.#replayTo - LEFT;
    };
    // What is missing after a failure comes through the socket.
    await readBacklog(eventsUrl(this.#place), backlog.signal, take).catch(() => {});
    if (this.#backlog !== backlog) return;
    this.#backlog = null;
    this.#goesOn = true;
    this.#connect();
  }

  #receive(frame) {
    this.#heard();
    const event = readFrame(frame);
    if (!event) return this.#unreadable();
    if (event.source.startsWith('/servers/')) return this.#control(event);
    if (!this.#opened) return this.#unreadable();
    this.#handlers.heard(event.time, event.subject, this.caughtUp);
    return this.#take(event);
  }

  /** A newer server can send control messages of other types. The contract says to ignore them. */
  #control(message) {
    if (!isControlType(message.type)) return;
    const data = readControl(message);
    if (!data || (message.type !== 'stream_opened' && !this.#opened)) return this.#unreadable();
    if (message.type === 'stream_opened') return this.#backlog ? this.#goOn(data) : this.#open(data);
    this.#handlers.heard(message.time);
    this.#beat(data);
  }

  /** A replay over HTTP begins. If it is not the one that was asked for, a socket finds out what has happened. */
  #goOn({ stream, follows }) {
    const { position } = this.connection;
    if (stream !== position.stream || follows.from !== position.last + 1) this.#lose('the server has another log');
  }

  #unreadable() {
    this.connection.unreadable += 1;
    this.#handlers.changed();
  }

  #open(opened) {
    const { connection } = this;
    const { from, to, kind, reason } = opened.follows;
    const before = connection.position;
    const seconds = (performance.now() - connection.downSince) / 1000;
    const anew = before !== null && (before.stream !== opened.stream || (kind === 'reset' && reason !== 'expired'));
    const goesOn = this.#goesOn && !anew;
    this.#goesOn = false;
    this.#opened = true;
    this.#heartbeatMs = opened.heartbeat_ms;
    this.#replayTo = to;
    if (!goesOn) this.#from = from;
    // Events before `from` are lost only if this page had a position before.
    const missing = before && !anew ? from - before.last - 1 : 0;
    connection.position = { stream: opened.stream, last: from - 1 };
    if (!goesOn) {
      this.#recovery = before && {
        seconds: seconds + (this.#recovery?.seconds ?? 0),
        replayed: this.#recovery?.replayed ?? 0,
        lost: anew ? null : Math.max(0, missing) + (this.#recovery?.lost ?? 0),
      };
    }
    Object.assign(connection, { state: 'live', downSince: null, reason: '', paused: null, logInAt: null });
    clearTimeout(this.#gone);
    this.#heard();
    this.#listen();
    if (!goesOn) this.#handlers.opened(opened, anew);
    if (missing > 0) this.#handlers.gap(before.last + 1, from - 1);
    if (to - from >= LONG && !this.#socketOnly) this.#readBacklog();
    this.#settle();
    this.#handlers.changed();
  }

  #beat(beat) {
    const { connection } = this;
    const paused = beat.state === 'paused' ? (beat.reason ?? 'no reason given') : null;
    if (connection.paused !== paused) {
      connection.paused = paused;
      this.#handlers.changed();
    }
    if (beat.stream !== connection.position.stream || beat.head > connection.position.last) {
      this.#lose('events are missing at the end');
    } else this.#works();
  }

  /** It is not the greeting that ends the tries: what stands between may cut each connection right behind it. */
  #works() {
    this.connection.attempt = 0;
  }

  #take(event) {
    const { connection } = this;
    const { stream, last } = connection.position;
    const position = /^[1-9]\d*$/.test(event.id) ? Number(event.id) : 0;
    if (event.source !== `/streams/${stream}` || !Number.isSafeInteger(position) || position === 0)
      return this.#unreadable();
    // Delivery is at least once. Positions are in order, so one comparison detects a repeat.
    if (position <= last) return;
    if (position > last + 1) {
      if (this.#recovery?.lost != null) this.#recovery.lost += position - last - 1;
      this.#handlers.gap(last + 1, position - 1);
    }
    connection.position.last = position;
    connection.received += 1;
    this.#works();
    if (!isEventType(event.type)) connection.unknown += 1;
    else if (!readData(event)) connection.unreadable += 1;
    if (this.#recovery) this.#recovery.replayed += 1;
    this.#handlers.event(event, position, position > this.#replayTo);
    this.#settle();
  }

  /** Reports a recovery once it is complete. Only then is the number of lost events known. */
  #settle() {
    if (!this.#recovery || !this.caughtUp) return;
    this.#handlers.recovered(this.#recovery);
    this.#recovery = null;
  }
}
