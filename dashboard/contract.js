// Owns the shapes of the wire: reads frames and payloads, keeps the known fields, refuses what does not fit.
//
// It is as strict as serde is with the Rust types, so that an event one side ignores is ignored by the other.

/**
 * @typedef {object} Envelope
 * @property {string} id the position, for a stream's events
 * @property {string} source `/streams/STREAM` or `/servers/NAME`
 * @property {string} type
 * @property {string} [subject] the incident's id
 * @property {string} time wall clock of the append
 * @property {object} data
 */

/** Thrown inside the readers only; callers of this module get `null`. */
class Unreadable extends Error {}

function check(fits, value) {
  if (!fits) throw new Unreadable();
  return value;
}

const text = (value) => check(typeof value === 'string', value);
const number = (value) => check(Number.isFinite(value), value);
const whole = (value) => check(Number.isInteger(value) && value >= 0, value);
const flag = (value) => check(typeof value === 'boolean', value);
const moment = (value) => check(typeof value === 'string' && !Number.isNaN(Date.parse(value)), value);
const oneOf =
  (...names) =>
  (value) =>
    check(names.includes(value), value);
const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Absent and null are the same; the field is then left out, as serde leaves it out. */
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
      const field = Object.hasOwn(value, name) ? value[name] : undefined;
      if (read.optional && (field === undefined || field === null)) continue;
      known[name] = read(field);
    }
    return known;
  };
};

/** Name to number. `fromEntries` defines properties, so a metric called `__proto__` stays a metric. */
const numbers = (value) => {
  check(isRecord(value), value);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, number(entry)]));
};

const cost = record({ currency: text, total: number, per_minute: number });
const base = { index: whole, offset_s: number, synthetic: flag };

const READERS = {
  incident_started: record({
    ...base,
    title: text,
    severity: oneOf('SEV1', 'SEV2', 'SEV3', 'SEV4', 'SEV5'),
    services: list(text),
    phases: list(record({ name: text, start_s: number, end_s: number, play_s: number })),
    agents: list(record({ id: text, role: text })),
    metrics: listOr(record({ name: text, unit: text })),
    target_s: number,
    impact_started_at: moment,
    speed: number,
    run: optional(record({ scenario: text, digest: text, seed: whole })),
  }),
  agent_action: record({
    ...base,
    phase: text,
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
    phase: text,
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
  time: moment,
  data: (value) => check(isRecord(value), value),
});

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

/**
 * Reads an event's payload as its type says.
 * @param {Envelope} event
 * @returns {any} the payload with known fields only; `null` if it does not fit or the type is unknown
 */
export function readData(event) {
  return knows(event.type) ? attempt(READERS[event.type], event.data) : null;
}

/**
 * Whether the contract has events of that type. Others are from a newer server and may be skipped.
 * @param {string} type
 */
export function knows(type) {
  return Object.hasOwn(READERS, type);
}
