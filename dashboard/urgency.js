// Owns the order of many incidents, what they are searched by, and the days of those that have ended. Pure.

/** As many open incidents have a tab each. When there are more, only those that were pinned have one. */
export const MOST_TABS = 4;

/** A day in milliseconds. */
const DAY_MS = 86_400_000;

/**
 * @typedef {object} Filter
 * @property {string} text words that all have to be in title, id, services or severity
 * @property {string} service empty for any
 * @property {'' | 'real' | 'drill'} kind
 */

/**
 * The most urgent incident first: real ones before drills, then by severity, how far past the target, and cost per minute.
 * What is equal in all of them stays in order of appearance.
 * @param {import('./fold.js').IncidentState[]} incidents
 * @param {(incident: import('./fold.js').IncidentState) => import('./clock.js').Moment} momentOf
 */
export function byUrgency(incidents, momentOf) {
  const ranked = incidents.map((incident) => ({ incident, rank: rankOf(incident, momentOf(incident)) }));
  return ranked.toSorted((a, b) => compare(a.rank, b.rank)).map(({ incident }) => incident);
}

function rankOf({ synthetic, severity, cost }, { breached, remaining_s }) {
  // SEV1 is the worst. An incident without a severity is not known yet, which is more urgent than the least one.
  const level = Number.parseInt((severity ?? 'SEV3').replace(/\D/g, ''), 10);
  return [synthetic ? 1 : 0, Number.isFinite(level) ? level : 3, breached ? (remaining_s ?? 0) : 0, -(cost?.per_minute ?? 0)];
}

function compare(one, other) {
  const place = one.findIndex((value, index) => value !== other[index]);
  return place < 0 ? 0 : one[place] - other[place];
}

/**
 * The order of a list while one of its rows is held by a pointer or the focus: that row and all above it stay where they are, and
 * what is new comes to its place below.
 * @param {string[]} shown ids from top to bottom
 * @param {string[]} sorted all ids in the order that they should have
 * @param {string | null} held
 * @returns {string[]}
 */
export function heldOrder(shown, sorted, held) {
  const rank = new Map(sorted.map((id, place) => [id, place]));
  const order = [...shown];
  const known = new Set(shown);
  for (const id of sorted) {
    if (known.has(id)) continue;
    const from = order.indexOf(held) + 1;
    const below = order.slice(from).findIndex((other) => (rank.get(other) ?? -1) > rank.get(id));
    order.splice(below < 0 ? order.length : from + below, 0, id);
  }
  return order;
}

/**
 * The incidents that have a tab: up to a few, the open ones before those that have ended. Of more open ones, only those that a
 * person keeps, and the one on screen.
 * @param {import('./fold.js').IncidentState[]} incidents in order of appearance
 * @param {(id: string) => boolean} isKept
 */
export function tabsOf(incidents, isKept) {
  const open = incidents.filter(({ state }) => state === 'open').length;
  const kept = incidents.filter(({ id, state }) => isKept(id) && state !== 'open').length;
  // The newest of those that have ended, if there is room.
  let room = Math.max(0, MOST_TABS - open - kept);
  const recent = new Set();
  for (const { id, state } of incidents.toReversed()) {
    if (state === 'open' || isKept(id) || room === 0) continue;
    recent.add(id);
    room -= 1;
  }
  return incidents.filter(({ id, state }) => isKept(id) || (open <= MOST_TABS && (state === 'open' || recent.has(id))));
}

/**
 * @param {import('./fold.js').IncidentState} incident
 * @param {Filter} filter
 */
export function fits(incident, { text, service, kind }) {
  if (service && !incident.services.includes(service)) return false;
  if (kind && incident.synthetic !== (kind === 'drill')) return false;
  const all = [incident.title, incident.id, incident.severity, ...incident.services].join(' ').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

/**
 * Every service of these incidents, in order of the alphabet.
 * @param {import('./fold.js').IncidentState[]} incidents
 */
export function servicesOf(incidents) {
  return [...new Set(incidents.flatMap(({ services }) => services))].toSorted((a, b) => a.localeCompare(b, 'en'));
}

/**
 * The incident that ended last.
 * @param {import('./fold.js').IncidentState[]} incidents
 * @param {number} future_ms a run with the clock years ahead is not the newest for years: its end counts as long ago
 */
export function lastEnded(incidents, future_ms) {
  const endedAt = ({ time }) => (Date.parse(time) > future_ms ? 0 : Date.parse(time));
  const ended = incidents.filter(({ state }) => state !== 'open');
  return ended.reduce((last, one) => (last && endedAt(last) >= endedAt(one) ? last : one), null);
}

/**
 * @typedef {object} Day
 * @property {number} start milliseconds since 1970
 * @property {import('./fold.js').IncidentState[]} real
 * @property {import('./fold.js').IncidentState[]} drills
 */

/**
 * The last days with the incidents that ended on each, oldest first. Days are those of the person's time zone.
 * @param {import('./fold.js').IncidentState[]} incidents
 * @param {number} now_ms
 * @param {number} count of days
 * @returns {Day[]}
 */
export function lastDays(incidents, now_ms, count) {
  const today = startOfDay(now_ms);
  const days = Array.from({ length: count }, (_, back) => {
    // From noon, so that a day of 23 or 25 hours moves nothing.
    const start = startOfDay(today + DAY_MS / 2 - (count - 1 - back) * DAY_MS);
    return { start, real: [], drills: [] };
  });
  for (const incident of incidents) {
    if (incident.state === 'open') continue;
    const start = startOfDay(Date.parse(incident.time));
    const day = days.find((one) => one.start === start);
    if (day) (incident.synthetic ? day.drills : day.real).push(incident);
  }
  return days;
}

function startOfDay(ms) {
  return new Date(ms).setHours(0, 0, 0, 0);
}
