// Owns the HTTP calls: scenarios, incidents, and triggering one.

/**
 * @typedef {object} Scenario
 * @property {string} id
 * @property {string} title
 * @property {string} severity
 * @property {string[]} services
 * @property {number} screen_s how long it plays
 * @property {number} target_s
 */

/** @returns {Promise<Scenario[]>} */
export async function listScenarios() {
  const { scenarios } = await ask('/api/scenarios');
  return Array.isArray(scenarios) ? scenarios.filter((scenario) => typeof scenario?.id === 'string') : [];
}

/** @returns {Promise<import('./fold.js').IncidentState[]>} */
export async function listIncidents() {
  const { incidents } = await ask('/api/incidents');
  return Array.isArray(incidents) ? incidents.filter((incident) => typeof incident?.id === 'string') : [];
}

/**
 * Starts an incident.
 * @param {string} scenario
 * @returns {Promise<{id: string, stream: string, position: number}>}
 */
export function trigger(scenario) {
  return ask('/api/incidents', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ scenario }),
  });
}

/** Errors carry what the server's problem document says, for a person. */
async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error('The server cannot be reached.');
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) {
    throw new Error(body?.detail ?? body?.title ?? `The server answered ${response.status} ${response.statusText}.`);
  }
  if (typeof body !== 'object' || body === null) throw new Error('The server answered something that is not JSON.');
  return body;
}
