// Owns the loading of an incident that the stream does not tell from its start: its events are asked for over HTTP.

import { incidentEvents, loadKept } from './api.js';
import { breathe } from './breath.js';
import { readData, readFrame } from './contract.js';
import { fold, newBoard } from './fold.js';
import { History } from './history.js';
import { secondOf } from './timemap.js';

/**
 * One incident with everything that is known of it.
 */
export class Loaded {
  /** @type {import('./fold.js').IncidentState | null} */
  incident = null;
  history = new History();
  #board = newBoard();

  /**
   * Takes in an event of this incident. Events that it has already change nothing.
   * @param {import('./contract.js').Envelope} event
   * @param {number} position
   * @param {boolean} live
   */
  take(event, position, live) {
    if (this.incident && event.index <= this.incident.index) return;
    const state = fold(this.#board, event);
    if (state) this.incident = state;
    if (this.incident) record(this.history, event, this.incident, { position, live }, state !== null);
  }
}

/**
 * Adds an event to the history of its incident.
 * @param {History} history
 * @param {import('./contract.js').Envelope} event
 * @param {import('./fold.js').IncidentState} incident after the event
 * @param {{position: number, live: boolean}} arrival
 * @param {boolean} changed the event has changed the state
 */
export function record(history, event, incident, { position, live }, changed) {
  const data = readData(event) ?? {};
  const phase = data.phase ?? incident.phase ?? '';
  const offset_s = secondOf(event, data, incident.impact_started_at) ?? incident.offset_s;
  history.take(event, { position, live, phase, offset_s });
  if (changed) history.timeline.take(event, incident);
}

/**
 * Loads an incident from its first event to its newest one.
 * @param {string} id
 * @returns {Promise<Loaded>}
 */
export function load(id) {
  return loadKept(() => loadParts(id));
}

async function loadParts(id) {
  const loaded = new Loaded();
  const rest = breathe();
  for (let after = 0; ; ) {
    const { text, next } = await incidentEvents(id, after);
    for (const line of text.split('\n')) {
      const event = line && readFrame(line);
      if (!event || !/^[1-9]\d*$/.test(event.id)) continue;
      loaded.take(event, Number(event.id), false);
      await rest();
    }
    // An answer of another program must not be asked for again and again.
    if (next === null || next <= after) return loaded;
    after = next;
  }
}
