// Owns the HTTP calls, to the server that the page is with: scenarios, incidents, starting and cancelling one, its report, publishing an
// event, and the session.

import { server } from './servers.js';

/**
 * @typedef {object} Parameter a value that can be chosen
 * @property {string} name
 * @property {string | number | boolean} default what is chosen has the same kind
 * @property {string} [about]
 * @property {number} [min]
 * @property {number} [max]
 * @property {(string | number | boolean)[]} [one_of]
 *
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} title
 * @property {string} severity
 * @property {string[]} services
 * @property {number} screen_s length of its playback
 * @property {number} target_s
 * @property {Parameter[]} [parameters]
 * @property {{name: string, about?: string}[]} [variants]
 *
 * @typedef {object} Refused what an error of this module says more than its message
 * @property {boolean} mayPass the same request may succeed later
 * @property {number} [retryAfter] in seconds, if the server names it
 * @property {{pointer: string, detail: string}[]} members what is wrong with which member of the request
 * @property {string} [reason] `expired` if retention has dropped what was asked for
 */

/**
 * @typedef {object} Session
 * @property {'read' | 'write' | null} scope what this session allows; `null` when a log-in is needed
 * @property {boolean} authenticated the session belongs to a token; `false` on a server without tokens
 */

/** So often an incident is loaded anew. */
const LOADS = 3;
/** An answer that takes longer is not waited for: the event can be sent again. */
const ANSWER_MS = 10_000;
/** After these statuses the same request may succeed later: as in `src/cli/publish/send.rs`. */
const MAY_PASS = [408, 429, 502, 503, 504];

/** The WebSocket's URL. */
export function socketUrl() {
  const url = new URL('ws', server());
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Everything after a position as Server-Sent Events. @param {string} after */
export function eventsUrl(after) {
  const url = new URL('events', server());
  url.searchParams.set('after', after);
  return url.href;
}

/** @returns {Promise<Session>} */
export function session() {
  return ask('api/session');
}

/**
 * Begins a session. The browser keeps its cookie, which no script can read.
 * @param {string} token
 * @returns {Promise<Session>}
 */
export function logIn(token) {
  return ask('login', json({ token }));
}

/** Ends the session. */
export async function logOut() {
  await answer('logout', { method: 'POST' });
}

/** The addresses of all servers of the stream, if there are several. @returns {Promise<unknown>} */
export async function listServers() {
  return (await ask('api/servers')).servers;
}

/** @returns {Promise<Scenario[]>} */
export async function listScenarios() {
  const { scenarios } = await ask('api/scenarios');
  return Array.isArray(scenarios) ? scenarios.filter((scenario) => typeof scenario?.id === 'string') : [];
}

/**
 * The incidents that the server lists, how many open ones it leaves out because they are too large, and how many milliseconds the
 * events of some are dated ahead of its clock.
 * @returns {Promise<{incidents: import('./fold.js').IncidentState[], leftOut: number, apart: [string, number][]}>}
 */
export async function listIncidents() {
  const { incidents, left_out, time, times } = await ask('api/incidents');
  const listed = Array.isArray(incidents) ? incidents.filter((incident) => typeof incident?.id === 'string') : [];
  const apart = Object.entries(times ?? {}).map(([id, own]) => [id, Date.parse(own) - Date.parse(time)]);
  return {
    incidents: listed,
    leftOut: Number.isInteger(left_out) ? left_out : 0,
    apart: apart.filter(([, ms]) => Number.isFinite(ms)),
  };
}

/**
 * A part of the events of an incident as they were streamed, one per line, maybe none; `next` is the position after which the next part
 * begins, or `null` if there are no more for now.
 * @param {string} id
 * @param {number} after the position after which this part begins
 * @returns {Promise<{text: string, next: number | null}>}
 */
export async function incidentEvents(id, after) {
  const response = await answer(`api/incidents/${encodeURIComponent(id)}/events?after=${after}`);
  const next = /<\?after=(\d+)>; *rel="next"/.exec(response.headers.get('link') ?? '');
  return { text: await response.text(), next: next && Number(next[1]) };
}

/**
 * Loads an incident part by part. Retention may drop the next part meanwhile: then what is kept is loaded, from its beginning.
 * @template T
 * @param {(isFirst: boolean) => Promise<T>} load
 * @returns {Promise<T>}
 */
export async function loadKept(load) {
  for (let loads = 1; ; loads += 1) {
    try {
      return await load(loads === 1);
    } catch (error) {
      if (error?.reason !== 'expired' || loads === LOADS) throw error;
    }
  }
}

/**
 * Starts an incident.
 * @param {string} scenario
 * @param {import('./choices.js').Choice} [choice]
 * @returns {Promise<{id: string, stream: string, position: number}>}
 */
export function trigger(scenario, choice = {}) {
  return ask('api/incidents', json({ scenario, ...choice }));
}

/**
 * Ends a drill. `cancelled_now` is false if it had ended before.
 * @param {string} id
 * @returns {Promise<{outcome: string, cancelled_now: boolean}>}
 */
export function cancel(id) {
  return ask(pathOf(id), { method: 'DELETE' });
}

/**
 * Where the report of an incident is.
 * @param {string} id
 */
export function reportUrl(id) {
  return new URL(`${pathOf(id)}/report.md`, server()).href;
}

/**
 * The report of an incident, as Markdown.
 * @param {string} id
 */
export async function report(id) {
  return (await answer(`${pathOf(id)}/report.md`)).text();
}

function pathOf(id) {
  return `api/incidents/${encodeURIComponent(id)}`;
}

/**
 * Publishes one event. It is stored once, however often it is sent.
 * @param {object} event a CloudEvent
 */
export function publish(event) {
  const options = { ...json(event, 'application/cloudevents+json'), signal: AbortSignal.timeout(ANSWER_MS) };
  return ask('api/events', options);
}

function json(body, type = 'application/json') {
  return { method: 'POST', headers: { 'content-type': type }, body: JSON.stringify(body) };
}

async function ask(path, options) {
  const response = await answer(path, options);
  const body = await response.json().catch(() => null);
  if (typeof body !== 'object' || body === null) throw failure('The server did not answer with JSON.', true);
  return body;
}

/** Errors have the text of the server's problem document, and what `Refused` lists. */
async function answer(path, options) {
  let response;
  try {
    // The session belongs to the server's host, also when the page came from another.
    response = await fetch(new URL(path, server()), { credentials: 'include', ...options });
  } catch (error) {
    throw failure(error?.name === 'TimeoutError' ? 'The server does not answer.' : 'The server cannot be reached.', true);
  }
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    const text = reasonOf(body) ?? `The server answered ${response.status} ${response.statusText}.`;
    const error = failure(text, MAY_PASS.includes(response.status));
    if (Array.isArray(body?.errors)) error.members = body.errors.filter((one) => typeof one?.pointer === 'string');
    if (typeof body?.reason === 'string') error.reason = body.reason;
    // parseFloat(null) is not a number.
    const seconds = parseFloat(response.headers.get('retry-after'));
    if (Number.isFinite(seconds)) error.retryAfter = Math.max(0, seconds);
    throw error;
  }
  return response;
}

function failure(text, mayPass) {
  return Object.assign(new Error(text), { mayPass, members: [] });
}

/** If one event was sent, what is wrong with it need not be numbered. */
function reasonOf(problem) {
  const [only, another] = Array.isArray(problem?.errors) ? problem.errors : [];
  const text = (another ? null : only?.detail) ?? problem?.detail ?? problem?.title;
  return typeof text === 'string' ? text : null;
}
