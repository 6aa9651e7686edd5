// Owns the animation frame: draws only when something changed or moves, and no more often than eyes need.

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** Least times between two drawings: of news, of numbers that move by themselves, and of a long list. The first news is drawn at once. */
const NEWS_MS = 33;
export const MOVES_MS = 100;
export const LIST_MS = 250;
const CALM_MS = 1000;
/** A hidden tab gets no animation frames. A timer handles the events that arrive there. */
const HIDDEN_MS = 250;

export class Frames {
  #draw;
  #moves;
  #frame = 0;
  #timer = 0;
  /** When the timer fires, and when the last drawing was. */
  #due = 0;
  #drawn = -Infinity;

  /**
   * @param {() => void} draw
   * @param {() => number} moves after how many milliseconds the next drawing is needed, because numbers on screen change with time;
   *   0 when none do
   */
  constructor(draw, moves) {
    this.#draw = draw;
    this.#moves = moves;
    document.addEventListener('visibilitychange', () => this.request());
    calm.addEventListener('change', () => this.request());
  }

  /**
   * Draws soon. Several requests before it make one drawing.
   * @param {number} [ms] after the last drawing
   */
  request(ms = NEWS_MS) {
    this.#within(document.hidden ? HIDDEN_MS : ms);
  }

  /** Draws this long after the last drawing, unless it is drawn sooner. */
  #within(ms) {
    if (this.#frame && !document.hidden) return;
    const due = this.#drawn + ms;
    if (this.#timer && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    const wait = due - performance.now();
    if (wait <= 0 && !document.hidden) {
      this.#frame = requestAnimationFrame(this.#run);
      return;
    }
    this.#due = due;
    this.#timer = setTimeout(this.#fire, Math.max(0, wait));
  }

  #fire = () => {
    this.#timer = 0;
    if (document.hidden) this.#run();
    else this.#frame ||= requestAnimationFrame(this.#run);
  };

  #run = () => {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
    this.#frame = 0;
    this.#timer = 0;
    this.#drawn = performance.now();
    this.#draw();
    const next = document.hidden ? 0 : this.#moves();
    if (next > 0) this.#within(calm.matches ? CALM_MS : next);
  };
}
