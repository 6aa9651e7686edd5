// Owns the forecasts: the newest one of each quantity with its range, and how exact the time to resolve was.

import { element, keyed, setAttribute, setProperty, setText, show } from '../dom.js';
import { clock, duration, inSeconds, quantity, stamp, words } from '../format.js';

class ForecastPanel extends HTMLElement {
  connectedCallback() {
    this.list = element('ul', { class: 'forecasts' });
    this.none = element('p', { class: 'muted empty' }, 'No forecast yet.');
    this.append(element('header', {}, element('h3', {}, 'Forecast')), this.none, this.list);
  }

  /** @param {import('../model.js').View} view */
  update({ incident, hours }) {
    // A real incident may never have any.
    show(this, incident.forecasts.length > 0 || incident.synthetic);
    show(this.none, incident.forecasts.length === 0);
    keyed(
      this.list,
      incident.forecasts,
      (forecast) => forecast.quantity,
      create,
      (node, forecast) => refresh(node, forecast, incident, hours),
    );
  }

  /** @param {import('../model.js').View} view */
  tick({ incident, moment }) {
    for (const node of this.list.children) {
      const end = Number(node.dataset.end);
      if (node.dataset.end) setProperty(node, '--now', Math.min(1, moment.offset_s / end).toFixed(4));
    }
    setAttribute(this.list, 'data-open', incident.state === 'open');
  }
}

function create({ quantity: name }) {
  return element(
    'li',
    { class: 'forecast' },
    element('span', { class: 'label' }, words(name)),
    element('span', { class: 'digits value' }),
    element('span', { class: 'sub spread digits' }),
    element(
      'span',
      { class: 'range', 'aria-hidden': 'true' },
      element('span', { class: 'band' }),
      element('span', { class: 'middle' }),
      element('span', { class: 'goal' }),
      element('span', { class: 'here' }),
    ),
    element('span', { class: 'sub verdict' }),
  );
}

function refresh(node, { quantity: name, unit, p10, p50, p90, made_s }, incident, hours) {
  const [, value, spread, range, verdict] = node.children;
  const spreads = p10 !== undefined && p90 !== undefined;
  setText(value, quantity(p50, unit, hours));
  setText(spread, spreads ? `${quantity(p10, unit, hours)}–${quantity(p90, unit, hours)}` : '');
  setAttribute(spread, 'title', spreads ? '8 of 10 outcomes are expected in this range' : null);
  const middle = inSeconds(p50, unit);
  const isTime = name === 'time_to_resolve' && middle !== null;
  show(range, isTime);
  setText(
    verdict,
    isTime
      ? judge(middle, spreads && [inSeconds(p10, unit), inSeconds(p90, unit)], incident, hours)
      : `made at ${stamp(made_s, hours)}`,
  );
  setAttribute(verdict, 'title', verdict.textContent);
  if (!isTime) return;
  const low = spreads ? inSeconds(p10, unit) : middle;
  const high = spreads ? inSeconds(p90, unit) : middle;
  const end = Math.max(high, incident.target_s ?? 0, incident.phases.at(-1)?.end_s ?? 0) * 1.05;
  setAttribute(node, 'data-end', end);
  for (const [property, seconds] of [
    ['--low', low],
    ['--middle', middle],
    ['--high', high],
    ['--goal', incident.target_s ?? end],
  ]) {
    setProperty(node, property, (seconds / end).toFixed(4));
  }
}

/** Compares the forecast with the target, or with the outcome once the incident is resolved. */
function judge(middle, spread, { state, target_s, resolution }, hours) {
  if (state === 'resolved' && resolution) {
    const actual = resolution.durations.resolve_s;
    const off = Math.abs(actual - middle);
    const inside = spread && actual >= spread[0] && actual <= spread[1];
    const where = spread ? (inside ? ', in range' : ', out of range') : '';
    return `took ${clock(actual, hours)}, ${off < 0.5 ? 'exact' : `${duration(Math.round(off))} ${actual > middle ? 'longer' : 'shorter'}`}${where}`;
  }
  if (target_s === null) return '';
  const spare = target_s - middle;
  return Math.abs(spare) < 0.5
    ? 'on target'
    : `${duration(Math.round(Math.abs(spare)))} ${spare > 0 ? 'before' : 'after'} target`;
}

customElements.define('forecast-panel', ForecastPanel);
