// Owns the hypotheses: the belief in each cause over time as competing bands, in which wrong leads stay visible.

import { element, keyed, setAttribute, setProperty, setText, show, svg } from '../dom.js';
import { clock, count, percent, stamp } from '../format.js';
import { icon } from '../icons.js';
import { place } from '../scale.js';
import { beliefsOf } from '../series.js';
import { chartScale } from '../zoom.js';
import { dragToZoom } from './zoom.js';

const HEIGHT = 100;
const WIDTH = 1000;
/** Causes with a band and a line of their own. The rest is one number. */
const MOST = 6;
/** A band gets its letter where it is at least this thick, as a part of the whole. */
const THICK = 0.16;
/** And lasts at least as long as this part of the axis. */
const LONG = 0.03;
const LETTERS = 'ABCDEF';

class Hypotheses extends HTMLElement {
  connectedCallback() {
    this.list = element('ol', { class: 'claims' });
    this.none = element('p', { class: 'muted empty' }, 'No cause is suspected yet. Each one will have a band here, as wide as the belief in it.');
    this.bands = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    this.letters = element('div', { class: 'letters', 'aria-hidden': 'true' });
    this.scale = element('div', { class: 'scale digits', 'aria-hidden': 'true' }, element('span', {}, '100%'), element('span', {}, '0%'));
    this.plot = element('div', { class: 'bands', role: 'img' }, element('div', { class: 'drawn' }, this.bands, this.letters, element('span', { class: 'chosen' })), this.scale);
    this.more = element('p', { class: 'sub rest' });
    this.body = element('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Hypotheses' }, this.plot, this.list, this.more);
    this.range = element('span', { class: 'sub digits' });
    this.append(element('header', {}, element('h3', {}, 'Hypotheses'), this.range), this.none, this.body);
    dragToZoom(this.plot, () => this.bands, () => this.view);
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { incident, history, hours } = view;
    this.view = view;
    const { hypotheses, resolution, phases, agents, state } = incident;
    // Only a plan says that there will be any.
    show(this, hypotheses.length > 0 || (state === 'open' && phases.length > 0 && agents.length > 0));
    show(this.none, hypotheses.length === 0);
    show(this.body, hypotheses.length > 0);
    if (hypotheses.length === 0) return;
    const series = beliefsOf(history, incident);
    const scale = chartScale(view);
    this.total = scale.total;
    setText(this.range, scale.zoomed ? `${clock(scale.offset(0), hours)}–${clock(scale.offset(1), hours)}` : '');
    const root = resolution?.root_cause ?? null;
    const shown = [...hypotheses].sort((a, b) => (b.id === root) - (a.id === root) || b.peak - a.peak).slice(0, MOST);
    // The order of appearance keeps each band in its place.
    const ordered = hypotheses.filter((one) => shown.includes(one));
    const leader = hypotheses.reduce((best, one) => (one.p > (best?.p ?? 0) ? one : best), null);
    const rows = ordered.map((one, at) => ({ ...one, letter: LETTERS[at], ...told(one, series, root, leader, hours) }));
    const key = `${incident.id} ${incident.index} ${scale.key} ${series.length} ${root}`;
    if (this.drawn !== key) this.#draw(rows, series, scale, view.moment);
    this.drawn = key;
    keyed(this.list, [...rows].sort((a, b) => b.rank - a.rank || b.p - a.p), (row) => row.id, create, refresh);
    const rest = hypotheses.length - shown.length;
    show(this.more, rest > 0);
    setText(this.more, rest > 0 ? `and ${count(rest)} more that were never believed as much` : '');
    const texts = rows.map(({ claim, p, note }) => `${claim}: ${percent(p)}, ${note}`);
    setAttribute(this.plot, 'aria-label', `Belief in each cause over time. ${texts.join('; ')}.`);
    this.tick(view);
  }

  /** @param {import('../model.js').View} view */
  tick(view) {
    const { moment } = view;
    if (this.body.hidden) return;
    const scale = chartScale(view);
    // An open axis also grows between two messages.
    if (scale.total !== this.total) return this.update(view);
    setProperty(this.plot, '--x', place(scale.at(moment.offset_s)));
  }

  #draw(rows, series, scale, moment) {
    const tops = series.map(() => 0);
    const letters = [];
    const from = [...series.map(({ offset_s }) => scale.at(offset_s)), scale.zoomed ? scale.at(moment.offset_s) : 1];
    const paths = rows.map(({ id, letter, tone }) => {
      const lows = [...tops];
      series.forEach(({ p }, at) => {
        tops[at] = Math.min(1, lows[at] + (p.get(id) ?? 0));
      });
      const thick = (at) => (from[at + 1] - from[at] >= LONG ? tops[at] - lows[at] : 0);
      const best = series.reduce((found, _, at) => (thick(at) > thick(found) ? at : found), 0);
      if (thick(best) >= THICK) letters.push({ letter, tone, x: from[best], y: (tops[best] + lows[best]) / 2 });
      return svg('path', { class: 'band', 'data-tone': tone, d: area(series, lows, tops, scale) });
    });
    this.bands.replaceChildren(...paths);
    keyed(
      this.letters,
      letters,
      ({ letter }) => letter,
      ({ letter }) => element('span', {}, letter),
      (node, { tone, x, y }) => {
        setAttribute(node, 'data-tone', tone);
        setProperty(node, '--at', place(x));
        setProperty(node, '--up', place(1 - y));
      },
    );
  }
}

/** The area between two stepped lines: a belief holds until the next one is told. */
function area(series, lows, tops, scale) {
  const x = series.map(({ offset_s }) => (scale.at(offset_s) * WIDTH).toFixed(1));
  const y = (part) => ((1 - part) * HEIGHT).toFixed(1);
  const there = tops.map((top, at) => `${x[at]} ${y(top)}H${x[at + 1] ?? WIDTH}`);
  const back = lows.map((low, at) => `${x[at + 1] ?? WIDTH} ${y(low)}H${x[at]}`).reverse();
  return `M${there.join('V').replaceAll(/V[\d.]+ /g, 'V')}L${back.join('V').replaceAll(/V[\d.]+ /g, 'V')}Z`;
}

/** What became of a cause, in words, and how its band looks. */
function told({ id, p, peak }, series, root, leader, hours) {
  const led = leads(id, series);
  const when = led === null ? '' : `led from ${stamp(led, hours)}`;
  if (id === root) return { rank: 3, tone: 'proved', mark: 'check', note: 'root cause' };
  if (root !== null) return { rank: 0, tone: 'out', mark: 'close', note: wrong(led, peak, hours) };
  if (id === leader?.id) return { rank: 2, tone: 'leading', mark: 'predict', note: `leading${when ? `, since ${stamp(led, hours)}` : ''}` };
  // A belief below a fifth of its peak is one that was given up.
  if (p < peak / 5) return { rank: 0, tone: 'out', mark: 'close', note: wrong(led, peak, hours) };
  return { rank: 1, tone: 'open', mark: 'idle', note: led === null ? `at most ${percent(peak)}` : when };
}

function wrong(led, peak, hours) {
  return led === null ? `given up, at most ${percent(peak)}` : `wrong lead at ${stamp(led, hours)}, ${percent(peak)}`;
}

/** The second at which a cause took the lead the last time; `null` if it never did. */
function leads(id, series) {
  let since = null;
  let leading = false;
  for (const { offset_s, p } of series) {
    const own = p.get(id) ?? 0;
    const first = own > 0 && [...p].every(([other, belief]) => other === id || belief < own);
    if (first && !leading) since = offset_s;
    leading = first;
  }
  return since;
}

function create({ letter }) {
  return element(
    'li',
    { class: 'claim-row' },
    element('span', { class: 'key', 'aria-hidden': 'true' }, letter),
    element('span', { class: 'claim' }),
    element('span', { class: 'fate' }, element('span', { class: 'mark' }), element('span')),
  );
}

function refresh(node, { letter, claim, tone, mark, note }) {
  const [key, text, line] = node.children;
  setAttribute(node, 'data-tone', tone);
  setText(key, letter);
  setText(text, claim);
  setAttribute(text, 'title', claim);
  if (line.firstElementChild.dataset.mark !== mark) line.firstElementChild.replaceChildren(icon(mark));
  line.firstElementChild.dataset.mark = mark;
  setText(line.lastElementChild, note);
}

customElements.define('hypotheses-panel', Hypotheses);
