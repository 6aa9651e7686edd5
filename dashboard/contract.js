// Owns the message formats: reads frames and payloads, keeps the known fields, rejects what does not fit.
//
// It is as strict as serde is with the Rust types, so that both sides ignore the same events.

/**
 * @typedef {object} Envelope
 * @property {string} id the position of an event in its stream; any text in a control message
 * @property {string} source `/streams/STREAM` for events, `/servers/NAME` for control messages
 * @property {string} type
 * @property {string} [subject] the incident's id
 * @property {number} [index] the event's place in its incident, from 1
 * @property {string} time wall clock of the append
 * @property {any} data
 */

/** Thrown inside the readers only. Callers of this module get `null`. */
class Unreadable extends Error {}

function check(fits, value) {
  if (!fits) throw new Unreadable();
  return value;
}

const text = (value) => check(typeof value === 'string', value);
const number = (value) => check(Number.isFinite(value), value);
const whole = (value) => check(Number.isInteger(value) && value >= 0, value);
/** A CloudEvents integer that counts from 1. */
const ordinal = (value) => check(Number.isInteger(value) && value >= 1 && value < 2 ** 31, value);
const flag = (value) => check(typeof value === 'boolean', value);
const moment = (value) => check(typeof value === 'string' && !Number.isNaN(Date.parse(value)), value);
const oneOf =
  (...names) =>
  (value) =>
    check(names.includes(value), value);
const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Absent and null are the same. The field is then left out, as serde leaves it out. */
const optional = (read) => Object.assign((value) => read(value), { optional: true });

/** A list that is empty when the field is absent. */
const listOr = (read) => Object.assign((value) => (value === undefined ? [] : list(read)(value)), { defaults: true });
const list = (read) => (value) => check(Array.isArray(value), value).map(read);

const record = (shape) => {
  const fields = Object.entries(shape);
  return (value) => {
    check(isRecord(value), value);
    const known = {};
    for (const [name, read] of fields) {
      const field = entryOf(value, name);
      if (read.optional && (field === undefined || field === null)) continue;
      known[name] = read(field);
    }
    return known;
  };
};

/**
 * What a record that came from outside has under a name that came from outside. `record[name]` would also find what every
 * object of JavaScript inherits: a metric may be called `constructor`.
 * @template T
 * @param {Record<string, T>} record
 * @param {string} name
 * @returns {T | undefined}
 */
export function entryOf(record, name) {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Name to number. `fromEntries` defines properties, so a metric called `__proto__` is stored like any other. */
const numbers = (value) => {
  check(isRecord(value), value);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, number(entry)]));
};

/** Settings that were chosen, name to text; left out if there are none, as serde leaves them out. */
const settings = (value = {}) => {
  check(isRecord(value), value);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, text(entry)]));
};
const run = (value) => {
  const { settings: chosen, ...known } = record({ scenario: text, digest: text, seed: whole, settings })(value);
  return Object.keys(chosen).length > 0 ? { ...known, settings: chosen } : known;
};

const cost = record({ currency: text, total: number, per_minute: number });
const base = { offset_s: optional(number), synthetic: flag, origin: optional(record({ source: text, id: text })) };

/** Payloads of events. They are numbered and belong to an incident. */
const EVENTS = {
  incident_started: record({
    ...base,
    title: text,
    severity: oneOf('SEV1', 'SEV2', 'SEV3', 'SEV4', 'SEV5'),
    services: list(text),
    phases: listOr(
      record({ name: text, start_s: number, end_s: optional(number), play_s: optional(number) }),
    ),
    agents: listOr(record({ id: text, role: text })),
    metrics: listOr(record({ name: text, unit: text })),
    target_s: optional(number),
    impact_started_at: moment,
    speed: optional(number),
    run: optional(run),
  }),
  agent_action: record({
    ...base,
    phase: optional(text),
    agent: text,
    action: text,
    status: oneOf('in_progress', 'completed', 'failed'),
    summary: text,
    step: optional(text),
    attempt: optional(whole),
    confidence: optional(number),
    hypotheses: listOr(record({ id: text, claim: text, p: number })),
    forecast: optional(
      record({ quantity: text, unit: text, p10: optional(number), p50: number, p90: optional(number) }),
    ),
    evidence: listOr(record({ kind: text, ref: text, text: optional(text), value: optional(number) })),
    caused_by: optional(whole),
    marks: listOr(oneOf('detected', 'diagnosed', 'mitigated')),
    late_s: optional(number),
  }),
  system_metrics: record({
    ...base,
    phase: optional(text),
    metrics: numbers,
    users_affected: optional(whole),
    cost: optional(cost),
  }),
  incident_resolved: record({
    ...base,
    outcome: oneOf('resolved', 'cancelled'),
    summary: text,
    root_cause: optional(text),
    durations: record({
      detect_s: optional(number),
      diagnose_s: optional(number),
      mitigate_s: optional(number),
      resolve_s: number,
    }),
    cost: optional(cost),
    users_peak: optional(whole),
    actions: record({ total: whole, failed: whole }),
    followups: listOr(text),
  }),
};

/** Payloads of control messages. They say something about the stream and are not numbered. */
const CONTROLS = {
  stream_opened: record({
    contract: text,
    stream: text,
    head: whole,
    oldest: whole,
    follows: record({ kind: oneOf('started', 'resumed', 'reset'), from: whole, to: whole, reason: optional(text) }),
    heartbeat_ms: number,
    server_time: moment,
  }),
  heartbeat: record({ stream: text, head: whole, state: oneOf('playing', 'paused'), reason: optional(text) }),
};

const envelope = record({
  specversion: text,
  id: text,
  source: text,
  type: text,
  subject: optional(text),
  index: optional(ordinal),
  time: moment,
  // Of an unknown type it can be anything.
  data: (value) => value,
});

/** Every type of event. Each table with one entry per type is checked against it, see `entryPerType`. */
export const EVENT_TYPES = Object.keys(EVENTS);

/** The kind of action that rejects a hypothesis: its confidence is the belief in what it rejects, not in what it says. */
export const REJECTED = 'hypothesis_rejected';

function attempt(read, value) {
  try {
    return read(value);
  } catch (error) {
    if (error instanceof Unreadable || error instanceof SyntaxError) return null;
    throw error;
  }
}

/**
 * Reads a text frame.
 * @param {unknown} frame
 * @returns {Envelope | null} `null` if it is not a CloudEvents event
 */
export function readFrame(frame) {
  return attempt((value) => envelope(JSON.parse(text(value))), frame);
}

/** Where an event keeps its payload once it was read. */
const READ = Symbol('read');

/**
 * Reads the payload of an event. Fold, history and stream all ask for it, and it is read once.
 * @param {Envelope} event
 * @returns {any} the payload with its known fields only; `null` if it does not fit its type, the event has no index,
 *   or the type is unknown
 */
export function readData(event) {
  if (event[READ] === undefined) {
    const readable = isEventType(event.type) && event.index !== undefined;
    event[READ] = readable ? attempt(EVENTS[event.type], event.data) : null;
  }
  return event[READ];
}

/**
 * What a fold needs of an event that is kept: its payload as it was read, and nothing else that the publisher sent.
 * @param {Envelope} event whose payload is readable
 * @returns {Envelope}
 */
export function keptEvent(event) {
  const { id, source, type, subject, index, time } = event;
  const data = readData(event);
  return Object.assign({ id, source, type, subject, index, time, data }, { [READ]: data });
}

/**
 * Reads the payload of a control message.
 * @param {Envelope} message
 * @returns {any} the payload with its known fields only; `null` if it does not fit its type or the type is unknown
 */
export function readControl(message) {
  return isControlType(message.type) ? attempt(CONTROLS[message.type], message.data) : null;
}

/**
 * Whether this page knows the type. A newer server can send events of other types.
 * @param {string} type
 */
export function isEventType(type) {
  return Object.hasOwn(EVENTS, type);
}

/** @param {string} type */
export function isControlType(type) {
  return Object.hasOwn(CONTROLS, type);
}

/**
 * Returns a table that has to have one entry per event type. A missing entry is an error on the console: the page goes
 * on and shows such events as unknown ones.
 * @template T
 * @param {string} name of the table
 * @param {Record<string, T>} table
 * @returns {Record<string, T>} the same table
 */
export function entryPerType(name, table) {
  const missing = EVENT_TYPES.filter((type) => !Object.hasOwn(table, type));
  if (missing.length > 0) console.error(`${name} has no entry for the event type ${missing.join(', ')}`);
  return table;
}
