// Owns the metrics: small charts over the phases, on the same axis as the track, with one cursor for all of them.

import { element, keyed, setAttribute, setProperty, setText, show, svg } from '../dom.js';
import { metric, stamp, words } from '../format.js';
import { place, scaleOf } from '../scale.js';

/** Shown as well when an incident has fewer than four metrics of its own. */
const FILLERS = ['users_affected', 'cost_per_minute'];
const CHARTS = 4;
const HEIGHT = 100;
const WIDTH = 1000;

class Metrics extends HTMLElement {
  /** Place of the pointer or the arrow keys on the axis, 0 to 1; `null` when the cursor is at the present. */
  #probe = null;

  connectedCallback() {
    this.none = element('p', { class: 'muted empty panel' }, 'No metrics yet.');
    this.charts = element('div', {
      class: 'charts',
      tabindex: '0',
      role: 'group',
      'aria-label': 'Metrics; arrow keys move the cursor',
    });
    this.append(this.none, this.charts);
    this.charts.addEventListener('pointermove', (event) => {
      const plot = event.target.closest?.('.chart')?.querySelector('.plot').getBoundingClientRect();
      if (plot) this.#point(Math.min(1, Math.max(0, (event.clientX - plot.left) / plot.width)));
    });
    this.charts.addEventListener('pointerleave', () => this.#point(null));
    this.charts.addEventListener('blur', () => this.#point(null));
    this.charts.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { incident, history } = view;
    this.view = view;
    const known = history?.names() ?? [];
    const names = chosen(known.length > 0 ? known : Object.keys(incident.metrics));
    const scale = scaleOf(view.newest, view.present.offset_s);
    // A drill announces metrics that are still to come. A real incident may never have any.
    show(this, names.length > 0 || incident.synthetic);
    show(this.none, names.length === 0);
    show(this.charts, names.length > 0);
    setProperty(this.charts, '--charts', Math.max(1, names.length));
    this.total = scale.total;
    const key = `${incident.id} ${scale.total} ${history?.revision} ${view.scrub?.offset_s}`;
    keyed(
      this.charts,
      names,
      (name) => name,
      create,
      (chart, name) => {
        if (chart.drawn !== key && history) draw(chart, history.line(name), incident, scale);
        chart.drawn = key;
      },
    );
    this.#label();
  }

  /** @param {import('../model.js').View} view */
  tick(view) {
    this.view = view;
    const scale = scaleOf(view.newest, view.present.offset_s);
    // An open axis also grows between two messages.
    if (scale.total !== this.total) this.update(view);
    const at = this.#probe ?? (view.newest.state === 'open' || view.scrub ? scale.at(view.moment.offset_s) : null);
    setAttribute(this.charts, 'data-probing', this.#probe !== null);
    setAttribute(this.charts, 'data-cursor', at !== null);
    if (at !== null) setProperty(this.charts, '--x', place(at));
  }

  #point(part) {
    if (this.#probe === part || !this.view) return;
    this.#probe = part;
    this.#label();
    this.tick(this.view);
  }

  #key(event) {
    const step = { ArrowLeft: -0.01, ArrowRight: 0.01 }[event.key];
    if (event.key === 'Escape') this.#point(null);
    if (!step) return;
    event.preventDefault();
    const scale = scaleOf(this.view.newest, this.view.present.offset_s);
    const from = this.#probe ?? scale.at(this.view.moment.offset_s);
    this.#point(Math.min(1, Math.max(0, from + step)));
  }

  /** The values at the cursor: the newest ones, or the last ones measured before the probe. */
  #label() {
    const { incident, newest, present, hours } = this.view;
    const offset_s = this.#probe === null ? null : scaleOf(newest, present.offset_s).offset(this.#probe);
    for (const chart of this.charts.children) {
      const { line } = chart;
      const point = offset_s === null ? line?.last : line?.points.findLast((one) => one.offset_s <= offset_s);
      const value = point ? point.value : offset_s === null ? incident.metrics[chart.dataset.key] : undefined;
      setText(chart.value, value === undefined ? '–' : metric(value, incident.units[chart.dataset.key]));
      setText(chart.when, offset_s === null || !point ? chart.range : stamp(point.offset_s, hours));
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
  chart.append(
    element('figcaption', {}, element('span', { class: 'name' }, words(name)), chart.when, chart.value),
    element('div', { class: 'area' }, chart.plot, element('span', { class: 'cursor' })),
  );
  return chart;
}

function draw(chart, line, incident, scale) {
  const x = (offset_s) => scale.at(offset_s) * WIDTH;
  const { points: measured, min, max } = line;
  chart.line = line;
  // The axis starts at zero, so that a small change does not look like a large one.
  const low = Math.min(0, min?.value ?? 0);
  const high = Math.max(max?.value ?? 0, low + 1e-9);
  const y = (value) => HEIGHT - 4 - ((value - low) / (high - low)) * (HEIGHT - 12);
  chart.range = max ? `max ${metric(max.value, incident.units[chart.dataset.key])}` : '';
  const bands = incident.phases.map(({ name: phase, start_s, end_s }, place) => {
    const end = end_s ?? incident.phases[place + 1]?.start_s;
    const right = end === undefined ? WIDTH : x(end);
    const width = Math.max(0, right - x(start_s));
    return svg('rect', { class: 'band', 'data-phase': phase, x: x(start_s), width, height: HEIGHT });
  });
  const points = measured.map(({ offset_s, value }) => `${x(offset_s).toFixed(1)} ${y(value).toFixed(1)}`);
  const shapes = [];
  if (points.length > 0) {
    const [first, last] = [x(measured[0].offset_s), x(measured.at(-1).offset_s)];
    shapes.push(
      svg('path', {
        class: 'under',
        d: `M${first.toFixed(1)} ${y(low)}L${points.join('L')}L${last.toFixed(1)} ${y(low)}Z`,
      }),
      svg('path', { class: 'line', d: `M${points.join('L')}` }),
      // A line without length and with a round cap is a dot that the stretched axis does not distort.
      svg('path', { class: 'end', d: `M${points.at(-1)}h0.01` }),
    );
  }
  chart.plot.replaceChildren(...bands, ...shapes);
}

customElements.define('metrics-panel', Metrics);
