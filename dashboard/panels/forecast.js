// Owns the forecasts: each one of the end as a dashed line in a fan, from the moment at which it was made to the range that it
// gave; after the end, how good they were. Forecasts of other quantities are lines of text.

import { element, keyed, setAttribute, setProperty, setText, show } from '../dom.js';
import { clock, count, duration, quantity, stamp, words } from '../format.js';
import { icon } from '../icons.js';
import { place } from '../scale.js';
import { END, endsOf } from '../series.js';

/** Fans on screen. Older forecasts are counted. */
const MOST = 5;

class ForecastPanel extends HTMLElement {
  connectedCallback() {
    this.none = element('p', { class: 'muted empty' }, 'No forecast yet. Each one will be a fan here, up to the end that it expects.');
    this.sum = element('p', { class: 'sub sum' });
    this.fans = element('ol', { class: 'fans' });
    this.axis = element('p', { class: 'axis digits', 'aria-hidden': 'true' }, element('span'), element('span'), element('span'));
    this.plot = element('div', { class: 'fan-plot' }, this.fans, this.axis);
    this.list = element('ul', { class: 'forecasts' });
    this.body = element('div', { class: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Forecasts' }, this.sum, this.plot, this.list);
    this.append(element('header', {}, element('h3', {}, 'Forecast')), this.none, this.body);
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { incident, history, hours } = view;
    const { forecasts, phases, agents, state, target_s, resolution } = incident;
    // Only a plan says that there will be any.
    show(this, forecasts.length > 0 || (state === 'open' && phases.length > 0 && agents.length > 0));
    show(this.none, forecasts.length === 0);
    show(this.body, forecasts.length > 0);
    if (forecasts.length === 0) return;
    const ends = endsOf(history, incident);
    const took = state === 'resolved' ? (resolution?.durations.resolve_s ?? null) : null;
    show(this.plot, ends.length > 0);
    this.end = Math.max(1, ...ends.map(({ high }) => high), target_s ?? 0, took ?? incident.offset_s) * 1.04;
    const at = (seconds) => place(Math.min(1, Math.max(0, seconds / this.end)));
    keyed(this.fans, ends.slice(-MOST), ({ made_s, middle }) => `${made_s} ${middle}`, createFan, (node, one) =>
      refreshFan(node, one, took === null && one === ends.at(-1), took, at, hours),
    );
    setText(this.sum, summary(ends, took));
    show(this.sum, this.sum.textContent !== '');
    setAttribute(this.fans, 'data-goal', target_s === null ? 'none' : null);
    setProperty(this.plot, '--goal', at(target_s ?? 0));
    const [first, target, last] = this.axis.children;
    setText(first, clock(0, hours));
    setText(target, target_s === null ? '' : 'target');
    setAttribute(target, 'data-left', target_s !== null && target_s / this.end > 0.5);
    setText(last, clock(this.end, hours));
    show(last, target_s === null || target_s / this.end < 0.72);
    const others = forecasts.filter(({ quantity: name }) => name !== END || ends.length === 0);
    keyed(this.list, others, ({ quantity: name }) => name, createOther, (node, one) => refreshOther(node, one, hours));
    this.tick(view);
  }

  /** @param {import('../model.js').View} view */
  tick({ moment }) {
    if (this.body.hidden) return;
    setProperty(this.plot, '--now', place(Math.min(1, Math.max(0, moment.offset_s / this.end))));
  }
}

/** How good the forecasts were; empty while the end is open. */
function summary(ends, took) {
  if (took === null || ends.length === 0) {
    const older = ends.length - MOST;
    return older > 0 ? `${count(older)} older not shown` : '';
  }
  const ranges = ends.filter(({ spread }) => spread);
  const held = ranges.filter(({ low, high }) => took >= low && took <= high).length;
  const last = ends.at(-1);
  const off = Math.abs(took - last.middle);
  const range = ranges.length === 0 ? 'No forecast gave a range' : `${held} of ${ranges.length} ranges held the end`;
  return `${range}. The last was ${off < 0.5 ? 'exact' : `off by ${duration(Math.round(off))}`}.`;
}

function createFan() {
  return element(
    'li',
    { class: 'fan' },
    element(
      'span',
      { class: 'cone', 'aria-hidden': 'true' },
      ...['spread', 'dash', 'tip', 'goal', 'now'].map((part) => element('span', { class: part })),
    ),
    element('span', { class: 'sub text' }, element('span', { class: 'mark' }), element('span')),
  );
}

function refreshFan(node, { made_s, low, middle, high, spread }, newest, took, at, hours) {
  const [, text] = node.children;
  for (const [name, seconds] of [['--made', made_s], ['--low', low], ['--mid', middle], ['--high', high]]) {
    setProperty(node, name, at(seconds));
  }
  const held = took === null ? null : spread ? took >= low && took <= high : Math.abs(took - middle) < 0.5;
  setAttribute(node, 'data-held', held);
  const shown = held === null ? '' : held ? 'check' : 'close';
  const [mark, words] = text.children;
  if (mark.dataset.mark !== shown) mark.replaceChildren(...(shown ? [icon(shown)] : []));
  mark.dataset.mark = shown;
  const when = stamp(made_s, hours);
  setText(words, newest ? `newest, made at ${when}` : `${when}: ${sentence({ low, middle, high, spread }, took, hours)}`);
  setAttribute(node, 'title', words.textContent);
}

/** The newest range stands in the headline; what is said here is when, and how it turned out. */
function sentence({ low, middle, high, spread }, took, hours) {
  const range = spread ? `${clock(low, hours)}–${clock(high, hours)}` : 'no range';
  if (took === null) return `${clock(middle, hours)}, ${range}`;
  const off = Math.round(Math.abs(took - middle));
  return `${clock(middle, hours)}, ${range}: ${off === 0 ? 'exact' : `${duration(off)} too ${took > middle ? 'early' : 'late'}`}`;
}

function createOther({ quantity: name }) {
  return element(
    'li',
    { class: 'forecast' },
    element('span', { class: 'label' }, words(name)),
    element('span', { class: 'digits value' }),
    element('span', { class: 'sub' }),
  );
}

function refreshOther(node, { unit, p10, p50, p90, made_s }, hours) {
  const [label, value, sub] = node.children;
  setAttribute(label, 'title', label.textContent);
  setText(value, quantity(p50, unit, hours));
  const range = p10 !== undefined && p90 !== undefined ? `${quantity(p10, unit, hours)}–${quantity(p90, unit, hours)}, ` : '';
  setText(sub, `${range}made at ${stamp(made_s, hours)}`);
}

customElements.define('forecast-panel', ForecastPanel);
