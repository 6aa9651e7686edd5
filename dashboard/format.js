// Owns how times, durations, money, counts and metrics are written. Pure, with one locale, so that all screens agree.

const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const SMALL = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const money = new Map();

const two = (value) => String(value).padStart(2, '0');

/**
 * `01:07`, or `1:01:07` from an hour on; `–` if it is not known.
 * @param {number | null} seconds
 * @param {boolean} [hours] always write hours, so that the digits of a long incident do not move
 */
export function clock(seconds, hours = false) {
  if (seconds === null) return '–';
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const h = Math.floor(whole / 3600);
  const m = Math.floor(whole / 60) % 60;
  return h > 0 || hours ? `${h}:${two(m)}:${two(whole % 60)}` : `${two(m)}:${two(whole % 60)}`;
}

/**
 * A moment of the incident: `T+01:07`, `T−00:05` before its start, or `T+?` if its beginning is not known.
 * @param {number | null} offset_s
 * @param {boolean} [hours]
 */
export function stamp(offset_s, hours = false) {
  if (offset_s === null) return 'T+?';
  return offset_s < 0 ? `T−${clock(Math.ceil(-offset_s), hours)}` : `T+${clock(offset_s, hours)}`;
}

/**
 * The time of day of a moment: `14:02 UTC`.
 * @param {string} time RFC 3339
 */
export function timeOfDay(time) {
  return `${new Date(time).toISOString().slice(11, 16)} UTC`;
}

/**
 * The countdown's digits. A second that has begun counts as a whole one, as on a kitchen timer.
 * @param {number} remaining_s
 * @param {boolean} over the target is missed
 * @param {boolean} [hours]
 */
export function countdown(remaining_s, over, hours = false) {
  return over ? `+${clock(-remaining_s, hours)}` : clock(Math.ceil(remaining_s - 1e-6), hours);
}

/**
 * Whether the times of an incident are written with hours.
 * @param {import('./fold.js').IncidentState} state
 * @param {number | null} [offset_s] a second of it, such as the one that it has reached
 */
export function inHours(state, offset_s = state.offset_s) {
  return Math.max(state.target_s ?? 0, state.phases.at(-1)?.end_s ?? 0, Math.abs(offset_s)) >= 3600;
}

/**
 * A duration for a sentence: `4.2 s`, `3 min`, `1 h 30 min`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (seconds < 3600) {
    const rest = Math.round(seconds % 60);
    return rest && seconds < 600 ? `${Math.floor(seconds / 60)} min ${rest} s` : `${minutes} min`;
  }
  return minutes % 60 && minutes < 600
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : `${Math.round(minutes / 60)} h`;
}

/** Beyond it there are no names for amounts, and soon no whole numbers. */
const LARGEST = 1e15;

/**
 * Whole money: `$12,345`, but `$1.2e+21` beyond what has a name.
 * @param {number} amount
 * @param {string} currency ISO 4217
 */
export function cash(amount, currency) {
  // The sign of the currency is where that of a small amount is.
  if (Math.abs(amount) >= LARGEST) return cash(1, currency).replace('1', amount.toExponential(1));
  if (!money.has(currency)) money.set(currency, moneyFormat(currency));
  return money.get(currency).format(amount);
}

function moneyFormat(currency) {
  try {
    return new Intl.NumberFormat('en-US', { style: 'currency', currency, maximumFractionDigits: 0 });
  } catch {
    // `Intl` takes three letters only, but a stream can contain any text.
    return { format: (amount) => `${COUNT.format(amount)} ${currency}` };
  }
}

/**
 * About how much money: `$30.1K`.
 * @param {number} amount
 * @param {string} currency ISO 4217
 */
export function cashAbout(amount, currency) {
  if (Math.abs(amount) < 1e4 || Math.abs(amount) >= 1e6) return cashShort(amount, currency);
  return cash(1, currency).replace('1', COMPACT.format(amount));
}

const SIZES = [
  [1e12, 'T'],
  [1e9, 'B'],
  [1e6, 'M'],
];

/**
 * Money where room is short: `$12,345`, but `$15.96M`, and `$1.2e+21` beyond what has a name.
 * @param {number} amount
 * @param {string} currency ISO 4217
 */
export function cashShort(amount, currency) {
  const size = SIZES.find(([least]) => Math.abs(amount) >= least);
  if (!size || Math.abs(amount) >= LARGEST) return cash(amount, currency);
  const [least, letter] = size;
  return cash(1, currency).replace('1', `${scaled(amount / least)}${letter}`);
}

/** Three digits that count: `1.23`, `15.96`, `120`. */
function scaled(value) {
  return Math.abs(value) < 99.995 ? value.toFixed(2) : COUNT.format(value);
}

/**
 * A number of people or things where room is short: `48,000`, but `4.8B`.
 * @param {number} value
 */
export function compact(value) {
  const size = Math.abs(value);
  if (size >= LARGEST) return value.toExponential(1);
  return (size < 1e6 ? COUNT : COMPACT).format(value);
}

/** @param {number} value */
export function count(value) {
  return COUNT.format(value);
}

/**
 * That a list of open incidents is not complete; nothing if it is.
 * @param {number} leftOut how many are too large for the server to list
 */
export function notListed(leftOut) {
  if (leftOut === 0) return '';
  const what = leftOut === 1 ? '1 open incident is' : `${count(leftOut)} open incidents are`;
  return `The server's list is not complete: ${what} too large for it. Here is what the stream has told of ${leftOut === 1 ? 'it' : 'them'}, if anything.`;
}

/**
 * @param {number} part 0 to 1
 */
export function percent(part) {
  return `${Math.round(part * 100)}%`;
}

/**
 * A name from the stream, written for people: `latency_p99` → `Latency p99`.
 * @param {string} name
 */
export function words(name) {
  const spaced = name.replaceAll(/[_-]+/g, ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Agents of people begin so: as in `src/contract/agent_action.rs`. */
const PERSON = 'person:';

/**
 * The agent of a person.
 * @param {string} name
 */
export function personCalled(name) {
  return `${PERSON}${name}`;
}

/**
 * Whether an agent is a person.
 * @param {string} agent
 */
export function isPerson(agent) {
  return agent.startsWith(PERSON) && agent !== PERSON;
}

/**
 * An agent, written for people. A person is written as they have written their name.
 * @param {string} agent
 */
export function agentName(agent) {
  return isPerson(agent) ? agent.slice(PERSON.length) : words(agent);
}

/**
 * A number with little room, as at an axis: `0.25`, `1,200`, `48K`.
 * @param {number} value
 */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e15) return value.toExponential(0);
  return (size >= 1e4 ? COMPACT : size >= 100 ? COUNT : SMALL).format(value);
}

/**
 * A metric's value in the unit that the incident announced for it.
 * @param {number} value
 * @param {string} [unit]
 */
export function metric(value, unit = '') {
  if (unit === 'ratio') return `${(value * 100).toFixed(Math.abs(value) < 0.1 ? 1 : 0)}%`;
  const size = Math.abs(value);
  const number = size >= 1e15 ? value.toExponential(1) : (size >= 1e5 ? COMPACT : size >= 100 ? COUNT : SMALL).format(value);
  if (unit === '1/s') return `${number}/s`;
  if (unit === '%') return `${number}%`;
  return BARE.has(unit) ? number : `${number} ${unit}`;
}

/**
 * A forecast's value in its unit; times become clocks.
 * @param {number} value
 * @param {string} unit
 * @param {boolean} [hours]
 */
export function quantity(value, unit, hours = false) {
  const seconds = inSeconds(value, unit);
  if (seconds === null && BARE.has(unit)) return SMALL.format(value);
  return seconds === null ? `${SMALL.format(value)} ${unit}` : clock(seconds, hours || seconds >= 3600);
}

const SECONDS = { s: 1, min: 60, h: 3600 };
/** Units that are not written. */
const BARE = new Set(['', '1', 'count', 'ratio']);

/**
 * @param {number} value
 * @param {string} unit
 * @returns {number | null} `null` when the unit is not one of time
 */
export function inSeconds(value, unit) {
  return Object.hasOwn(SECONDS, unit) ? value * SECONDS[unit] : null;
}
