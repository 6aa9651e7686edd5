// Owns the metrics: small charts over the phases, on the same axis as the track, with one cursor for all of them.

import { entryOf } from '../contract.js';
import { element, keyed, setAttribute, setProperty, setText, show, svg } from '../dom.js';
import { axisOf } from '../axis.js';
import { clock, metric, short, stamp, words } from '../format.js';
import { describeKey } from '../keys.js';
import { place } from '../scale.js';
import { chartScale, isZoomed, shift, zoomBy } from '../zoom.js';
import { dragToZoom } from './zoom.js';

/** Shown as well when an incident has fewer than four metrics of its own. */
const FILLERS = ['users_affected', 'cost_per_minute'];
const CHARTS = 4;
const HEIGHT = 100;
const WIDTH = 1000;
/** About a pixel of the widest chart. */
const COLUMN = 2.5;

class Metrics extends HTMLElement {
  /** Place of the pointer or the arrow keys on the axis, 0 to 1; `null` when the cursor is at the present. */
  #probe = null;
  /** Whether the arrow keys have put it there. A pointer that rests on a chart needs no step back. */
  #byKeys = false;
  /** The range that a person is choosing. */
  #dragged = null;

  connectedCallback() {
    this.none = element('p', { class: 'muted empty panel' }, 'No metrics yet.');
    this.charts = element('div', {
      class: 'charts',
      tabindex: '0',
      role: 'group',
      'aria-label': 'Metrics; arrow keys move the cursor, z and o show less or more time',
      title: 'Drag to zoom, double-click to show all',
    });
    this.bar = element('zoom-bar');
    this.append(this.bar, this.none, this.charts);
    this.charts.addEventListener('pointermove', (event) => {
      const plot = event.target.closest?.('.chart')?.querySelector('.plot').getBoundingClientRect();
      if (plot) this.#point(Math.min(1, Math.max(0, (event.clientX - plot.left) / plot.width)));
    });
    this.charts.addEventListener('pointerleave', () => this.#point(null));
    this.charts.addEventListener('blur', () => this.#point(null));
    this.charts.addEventListener('keydown', (event) => this.#key(event));
    const plotOf = ({ target }) => target.closest?.('.chart')?.querySelector('.plot');
    dragToZoom(this.charts, plotOf, () => this.view, (parts) => {
      this.#dragged = parts;
      this.#label();
    });
    addEventListener('zoom-by', ({ detail }) => {
      if (this.view && !this.charts.hidden) zoomBy(this.view, detail, this.#middle());
    });
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { incident, history } = view;
    this.view = view;
    const known = history?.names() ?? [];
    const names = chosen(known.length > 0 ? known : Object.keys(incident.metrics));
    const scale = chartScale(view);
    setAttribute(this, 'data-zoomed', scale.zoomed);
    this.bar.update(view);
    // A plan announces metrics that are still to come. Without one there may never be any.
    show(this, names.length > 0 || Object.keys(incident.units).length > 0);
    show(this.none, names.length === 0);
    show(this.charts, names.length > 0);
    show(this.bar, names.length > 0);
    setProperty(this.charts, '--charts', Math.max(1, names.length));
    this.total = scale.total;
    const key = `${incident.id} ${scale.key} ${history?.revision} ${view.scrub?.offset_s}`;
    keyed(
      this.charts,
      names,
      (name) => name,
      create,
      (chart, name) => {
        if (chart.drawn !== key && history) draw(chart, history.line(name), incident, scale, view.hours);
        chart.drawn = key;
      },
    );
    this.#label();
  }

  /** @param {import('../model.js').View} view */
  tick(view) {
    this.view = view;
    const scale = chartScale(view);
    // An open axis also grows between two messages.
    if (scale.total !== this.total) this.update(view);
    const now = scale.raw(view.moment.offset_s);
    const isSeen = (view.newest.state === 'open' || view.scrub) && now >= 0 && now <= 1;
    const at = this.#probe ?? (isSeen ? now : null);
    setAttribute(this.charts, 'data-probing', this.#probe !== null);
    setAttribute(this.charts, 'data-cursor', at !== null);
    if (at !== null) setProperty(this.charts, '--x', place(at));
  }

  #point(part) {
    if (this.#probe === part || !this.view) return;
    this.#probe = part;
    this.#byKeys = false;
    this.#label();
    this.tick(this.view);
  }

  #key(event) {
    const step = { ArrowLeft: -0.01, ArrowRight: 0.01 }[event.key];
    // One step back at a time: first the cursor, then the range, then the moment.
    if (event.key === 'Escape' && this.#probe !== null && this.#byKeys) {
      event.preventDefault();
      this.#point(null);
    }
    if (!step) return;
    event.preventDefault();
    const to = (this.#probe ?? chartScale(this.view).at(this.view.moment.offset_s)) + step;
    if (isZoomed() && (to < 0 || to > 1)) shift(this.view, step);
    this.#point(Math.min(1, Math.max(0, to)));
    this.#byKeys = true;
  }

  /** What stays in its place when the range changes: the cursor, or the moment, or else the middle. */
  #middle() {
    const now = chartScale(this.view).raw(this.view.moment.offset_s);
    return this.#probe ?? (now >= 0 && now <= 1 ? now : 0.5);
  }

  /** The values at the cursor: the newest ones, or the last ones measured before the probe. */
  #label() {
    const { incident, hours } = this.view;
    const scale = chartScale(this.view);
    const offset_s = this.#probe === null ? null : scale.offset(this.#probe);
    const range = this.#dragged?.map((part) => clock(scale.offset(part), hours)).join('–');
    for (const chart of this.charts.children) {
      const { line } = chart;
      const { key } = chart.dataset;
      const point = offset_s === null ? line?.last : line?.points.findLast((one) => one.offset_s <= offset_s);
      const value = point ? point.value : offset_s === null ? entryOf(incident.metrics, key) : undefined;
      const text = value === undefined ? '–' : metric(value, entryOf(incident.units, key));
      // The headline has the newest of these numbers.
      setText(chart.value, offset_s === null && FILLERS.includes(key) ? '' : text);
      setAttribute(chart.value, 'title', text);
      setText(chart.when, range ?? (offset_s === null || !point ? chart.range : stamp(point.offset_s, hours)));
    }
  }
}

function chosen(names) {
  const own = names.filter((name) => !FILLERS.includes(name));
  return [...own, ...FILLERS.filter((name) => names.includes(name)).slice(0, Math.max(0, CHARTS - own.length))];
}

function create(name) {
  const chart = element('figure', { class: 'chart panel' });
  chart.value = element('span', { class: 'value digits' });
  chart.when = element('span', { class: 'sub digits' });
  chart.range = '';
  chart.plot = svg('svg', {
    class: 'plot',
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  });
  chart.ys = element('div', { class: 'ys digits', 'aria-hidden': 'true' });
  chart.xs = element('div', { class: 'xs digits', 'aria-hidden': 'true' });
  const title = words(name);
  chart.append(
    element('figcaption', {}, element('span', { class: 'name', title }, title), chart.when, chart.value),
    element('div', { class: 'area' }, chart.plot, chart.ys, element('span', { class: 'cursor' }), element('span', { class: 'chosen' })),
    chart.xs,
  );
  return chart;
}

function draw(chart, line, incident, scale, hours) {
  const x = (offset_s) => scale.raw(offset_s) * WIDTH;
  const unit = entryOf(incident.units, chart.dataset.key);
  const { points, min, max } = scale.zoomed ? within(line, scale) : line;
  const measured = thinned(points, x);
  chart.line = line;
  const axis = axisOf(min?.value, max?.value);
  const y = (value) => (1 - axis.at(value)) * HEIGHT;
  chart.range = max ? `max ${metric(max.value, unit)}` : '';
  const bands = incident.phases.map(({ name: phase, start_s, end_s }, place) => {
    const end = end_s ?? incident.phases[place + 1]?.start_s;
    const left = scale.at(start_s) * WIDTH;
    const right = end === undefined ? WIDTH : scale.at(end) * WIDTH;
    return svg('rect', { class: 'phase', 'data-phase': phase, x: left, width: Math.max(0, right - left), height: HEIGHT });
  });
  const lines = axis.ticks.map((tick) => svg('path', { class: 'grid', d: `M0 ${y(tick).toFixed(1)}H${WIDTH}` }));
  const drawn = measured.map(({ offset_s, value }) => `${x(offset_s).toFixed(1)} ${y(value).toFixed(1)}`);
  const shapes = [];
  if (drawn.length > 0) {
    const [first, last] = [x(measured[0].offset_s), x(measured.at(-1).offset_s)];
    const floor = y(axis.at(0) >= 0 && axis.at(0) <= 1 ? 0 : axis.low).toFixed(1);
    shapes.push(
      svg('path', { class: 'under', d: `M${first.toFixed(1)} ${floor}L${drawn.join('L')}L${last.toFixed(1)} ${floor}Z` }),
      svg('path', { class: 'line', d: `M${drawn.join('L')}` }),
      // A line without length and with a round cap is a dot that the stretched axis does not distort.
      svg('path', { class: 'tip', d: `M${drawn.at(-1)}h0.01` }),
    );
  }
  chart.plot.replaceChildren(...bands, ...lines, ...shapes);
  labels(chart.ys, axis.ticks.map((tick) => ['--y', axis.at(tick), axisText(tick, unit)]));
  labels(chart.xs, [0, 0.5, 1].map((part) => ['--x', part, clock(scale.offset(part), hours)]));
}

/** The part of a line that is seen, up to its neighbours outside: the axis of values fits that part. */
function within({ points }, scale) {
  const from = points.findLastIndex(({ offset_s }) => scale.raw(offset_s) < 0);
  const after = points.findIndex(({ offset_s }) => scale.raw(offset_s) > 1);
  const seen = points.slice(Math.max(0, from), after < 0 ? points.length : after + 1);
  const inside = seen.filter(({ offset_s }) => scale.raw(offset_s) >= 0 && scale.raw(offset_s) <= 1);
  const pick = (better) => (inside.length > 0 ? inside : seen).reduce((best, one) => (best && !better(one.value, best.value) ? best : one), null);
  return { points: seen, min: pick((one, best) => one < best), max: pick((one, best) => one > best) };
}

/** What falls on one column of the drawing is its first, lowest, highest and last point: more can't be seen. */
function thinned(points, x) {
  const columns = new Map();
  for (const point of points) {
    const at = Math.floor(x(point.offset_s) / COLUMN);
    const column = columns.get(at);
    if (!column) columns.set(at, { first: point, low: point, high: point, last: point });
    else {
      if (point.value < column.low.value) column.low = point;
      if (point.value > column.high.value) column.high = point;
      column.last = point;
    }
  }
  return [...columns.values()].flatMap(({ first, low, high, last }) =>
    [...new Set([first, low, high, last])].sort((one, other) => one.offset_s - other.offset_s),
  );
}

function labels(host, marks) {
  keyed(
    host,
    marks.map((mark, at) => ({ mark, at })),
    ({ at }) => String(at),
    () => element('span'),
    (node, { mark: [property, part, text] }) => {
      setText(node, text);
      setProperty(node, property, place(part));
    },
  );
}

/** At the axis, a long unit has no room: it stands in the caption. */
function axisText(value, unit) {
  if (unit === 'ratio') return `${Number((value * 100).toPrecision(3))}%`;
  return `${short(value)}${unit === '%' ? '%' : ''}`;
}

describeKey(['←', '→'], { group: 'Charts', what: 'Move the cursor of all, when they have the focus' });
describeKey('drag', { group: 'Charts', what: 'Zoom to a range; a double-click shows all again' });

customElements.define('metrics-panel', Metrics);
