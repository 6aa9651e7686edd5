// Owns one metric over time in bounded memory: however long an incident is, its extremes are exact.

/** Beyond this number of buckets, neighbours are joined. */
const MOST_BUCKETS = 480;

/**
 * @typedef {{offset_s: number, value: number}} Point one sample
 * @typedef {{first: Point, min: Point, max: Point, last: Point}} Bucket some samples in a row
 *
 * @typedef {object} Line a curve up to a moment, as it is drawn
 * @property {Point[]} points in order; each peak and each low is one of them
 * @property {Point | null} min
 * @property {Point | null} max
 * @property {Point | null} last
 */

export class Curve {
  /** @type {Bucket[]} */
  #buckets = [];
  /** Samples in each bucket but the last. */
  #size = 1;
  #inLast = 0;

  /**
   * @param {number} offset_s
   * @param {number} value
   */
  add(offset_s, value) {
    const point = { offset_s, value };
    const bucket = this.#buckets.at(-1);
    if (bucket && this.#inLast < this.#size) {
      if (value < bucket.min.value) bucket.min = point;
      if (value > bucket.max.value) bucket.max = point;
      bucket.last = point;
      this.#inLast += 1;
      return;
    }
    this.#buckets.push({ first: point, min: point, max: point, last: point });
    this.#inLast = 1;
    if (this.#buckets.length > MOST_BUCKETS) this.#halve();
  }

  /**
   * The curve up to a moment. Within the bucket of that moment it has the samples that are still known.
   * @param {number} [until_s]
   * @returns {Line}
   */
  line(until_s = Infinity) {
    const points = [];
    for (const bucket of this.#buckets) {
      if (bucket.first.offset_s > until_s) break;
      for (const point of pointsOf(bucket)) if (point.offset_s <= until_s) points.push(point);
    }
    let [min = null] = points;
    let max = min;
    for (const point of points) {
      if (point.value < min.value) min = point;
      if (point.value > max.value) max = point;
    }
    return { points, min, max, last: points.at(-1) ?? null };
  }

  /** Joins each two buckets. First, minimum, maximum and last of both are among those of the new one. */
  #halve() {
    const joined = [];
    for (let place = 0; place < this.#buckets.length; place += 2) {
      const [a, b = a] = [this.#buckets[place], this.#buckets[place + 1]];
      joined.push({
        first: a.first,
        min: b.min.value < a.min.value ? b.min : a.min,
        max: b.max.value > a.max.value ? b.max : a.max,
        last: b.last,
      });
    }
    // With an odd number the last bucket stays as full as it was.
    if (this.#buckets.length % 2 === 0) this.#inLast += this.#size;
    this.#buckets = joined;
    this.#size *= 2;
  }
}

/** The samples of a bucket that are kept, in order of time, each once. */
function pointsOf({ first, min, max, last }) {
  const inside = min.offset_s <= max.offset_s ? [min, max] : [max, min];
  return [...new Set([first, ...inside, last])];
}
