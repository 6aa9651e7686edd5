// Owns replaying an incident on the page: the moment that is shown goes on by itself, at a speed that can be chosen.

import { TimeMap } from './timemap.js';

/** How many times faster than the playback's own seconds. */
export const SPEEDS = [1, 2, 5, 10, 20];

/** The moment is moved so often; those who want no motion get a step a second. */
const STEP_MS = 66;
const CALM_MS = 1000;

const calm = matchMedia('(prefers-reduced-motion: reduce)');

export class Replay {
  playing = false;
  speed = 1;
  #model;
  #timer = 0;
  #at_ms = 0;
  /** The second that this has reached, and the one that the page shows for it. */
  #second = 0;
  #expected = null;

  /** @param {import('./model.js').Model} model */
  constructor(model) {
    this.#model = model;
  }

  /** Plays from the moment that is shown, or from the start if that is the end. */
  start() {
    const { newest, scrub } = this.#model.view();
    if (!newest || this.playing) return;
    this.playing = true;
    this.#at_ms = performance.now();
    this.#show(scrub ? scrub.offset_s : 0);
    this.#timer = setInterval(() => this.#step(), calm.matches ? CALM_MS : STEP_MS);
  }

  /** @returns {boolean} whether it was playing */
  stop() {
    const was = this.playing;
    this.playing = false;
    clearInterval(this.#timer);
    if (was) {
      this.#model.move(() => {});
      dispatchEvent(new CustomEvent('replay-stopped'));
    }
    return was;
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.speed = speed;
    this.#model.move(() => {});
  }

  /** @param {1 | -1} by to the next faster or slower speed */
  change(by) {
    const place = SPEEDS.indexOf(this.speed) + by;
    if (place in SPEEDS) this.setSpeed(SPEEDS[place]);
  }

  #step() {
    const now_ms = performance.now();
    const elapsed_s = (now_ms - this.#at_ms) / 1000;
    this.#at_ms = now_ms;
    const { newest, scrub, mode } = this.#model.view();
    // A person went to the end, or to another part of the page.
    if (!newest || !scrub || mode !== 'incident') return this.stop();
    const from_s = scrub.offset_s === this.#expected ? this.#second : scrub.offset_s;
    const map = new TimeMap(newest.phases);
    this.#show(map.incidentOf(map.screenOf(Math.max(0, from_s)) + elapsed_s * this.speed));
  }

  #show(second) {
    this.#second = second;
    this.#model.move((scrub, incident, timeline, now_s) => scrub.at(incident, timeline, second, now_s));
    this.#expected = this.#model.view().scrub?.offset_s ?? null;
    if (this.#expected === null) this.stop();
  }
}
