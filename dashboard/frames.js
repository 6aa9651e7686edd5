// Owns the animation frame: draws once per frame, and only when something changed or moves.

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** A hidden tab gets no animation frames. A timer handles the events that arrive there. */
const HIDDEN_MS = 250;
const CALM_MS = 1000;

export class Frames {
  #draw;
  #moves;
  #frame = 0;
  #timer = 0;

  /**
   * @param {() => void} draw
   * @param {() => boolean} moves whether numbers on screen change with time, so that the next frame is needed too
   */
  constructor(draw, moves) {
    this.#draw = draw;
    this.#moves = moves;
    document.addEventListener('visibilitychange', () => this.request());
    calm.addEventListener('change', () => this.request());
  }

  /** Draws in the next frame. Several requests before it make one drawing. */
  request() {
    if (document.hidden) this.#timer ||= setTimeout(this.#run, HIDDEN_MS);
    else this.#frame ||= requestAnimationFrame(this.#run);
  }

  #run = () => {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
    this.#timer = 0;
    this.#draw();
    if (document.hidden || !this.#moves()) return;
    if (calm.matches) this.#timer = setTimeout(this.#run, CALM_MS);
    else this.request();
  };
}
