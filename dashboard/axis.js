// Owns the vertical axis of a chart: from where to where it goes, and its round numbers. Pure.

/** Steps between two round numbers, as parts of a power of ten. */
const STEPS = [1, 2, 2.5, 5, 10];
/** Steps from the bottom to the top of an axis. */
const PARTS = 2;

/**
 * The axis of values. It has zero in it, so that a small change does not look like a large one.
 * @param {number | undefined} least the smallest value; `undefined` without values
 * @param {number | undefined} most
 * @returns {{low: number, high: number, ticks: number[], at: (value: number) => number}} `at` is 0 at the bottom, 1 at the top
 */
export function axisOf(least, most) {
  const low = Math.min(0, Number.isFinite(least) ? least : 0);
  const high = Math.max(0, Number.isFinite(most) ? most : 1);
  const length = high - low || 1;
  const step = stepOf(length / PARTS);
  const bottom = Math.floor(low / step + 1e-9) * step;
  const top = Math.max(Math.ceil(high / step - 1e-9), Math.floor(low / step + 1e-9) + 1) * step;
  const steps = Math.round((top - bottom) / step);
  // Beyond what a double can tell apart, there are no steps.
  const ticks = steps >= 1 && steps <= 2 * PARTS + 2 ? Array.from({ length: steps + 1 }, (_, at) => bottom + at * step) : [bottom, top];
  const at = (value) => Math.min(1, Math.max(0, (value - bottom) / (top - bottom || 1)));
  return { low: bottom, high: top, ticks: [...new Set(ticks)], at };
}

function stepOf(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return (STEPS.find((step) => step * power >= least * (1 - 1e-9)) ?? 10) * power;
}
