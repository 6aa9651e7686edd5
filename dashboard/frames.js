// Owns the animation frame: everything that is drawn is drawn here, once a frame, and only while there is a reason.

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** In a hidden tab no frames come; what arrived is still taken in. */
const HIDDEN_MS = 250;
const CALM_MS = 1000;

export class Frames {
  #draw;
  #moves;
  #frame = 0;
  #timer = 0;

  /**
   * @param {() => void} draw
   * @param {() => boolean} moves whether something on screen moves by itself, so that the next frame is needed too
   */
  constructor(draw, moves) {
    this.#draw = draw;
    this.#moves = moves;
    document.addEventListener('visibilitychange', () => this.request());
    calm.addEventListener('change', () => this.request());
  }

  /** Something changed: draw soon. Any number of requests make one frame. */
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
