// Owns the HTTP calls: scenarios, incidents, triggering one, and the session.

/**
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} title
 * @property {string} severity
 * @property {string[]} services
 * @property {number} screen_s length of its playback
 * @property {number} target_s
 */

/**
 * @typedef {object} Session
 * @property {'read' | 'write' | null} scope what this session allows; `null` when a log-in is needed
 * @property {boolean} authenticated the session belongs to a token; `false` on a server without tokens
 */

/** Where the server is published: this file's own place, which may be below a prefix of a proxy's. */
export const base = new URL('.', import.meta.url);

/** The WebSocket's URL. */
export function socketUrl() {
  const url = new URL('ws', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
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

/** @returns {Promise<Scenario[]>} */
export async function listScenarios() {
  const { scenarios } = await ask('api/scenarios');
  return Array.isArray(scenarios) ? scenarios.filter((scenario) => typeof scenario?.id === 'string') : [];
}

/** @returns {Promise<import('./fold.js').IncidentState[]>} */
export async function listIncidents() {
  const { incidents } = await ask('api/incidents');
  return Array.isArray(incidents) ? incidents.filter((incident) => typeof incident?.id === 'string') : [];
}

/**
 * Starts an incident.
 * @param {string} scenario
 * @returns {Promise<{id: string, stream: string, position: number}>}
 */
export function trigger(scenario) {
  return ask('api/incidents', json({ scenario }));
}

function json(body) {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

async function ask(path, options) {
  const response = await answer(path, options);
  const body = await response.json().catch(() => null);
  if (typeof body !== 'object' || body === null) throw new Error('The server did not answer with JSON.');
  return body;
}

/** Errors have the text of the server's problem document, and `retryAfter` in seconds if the server names it. */
async function answer(path, options) {
  let response;
  try {
    response = await fetch(new URL(path, base), options);
  } catch {
    throw new Error('The server cannot be reached.');
  }
  if (!response.ok) {
    const body = await response.json().catch(() => null);
    const text = body?.detail ?? body?.title ?? `The server answered ${response.status} ${response.statusText}.`;
    const error = new Error(text);
    // parseFloat(null) is not a number.
    const seconds = parseFloat(response.headers.get('retry-after'));
    if (Number.isFinite(seconds)) error.retryAfter = Math.max(0, seconds);
    throw error;
  }
  return response;
}
