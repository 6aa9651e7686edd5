// Owns the result card of an ended incident, on its own page and on the quiet page.

import { element } from '../dom.js';
import { cashShort, clock, compact, count, duration, inHours } from '../format.js';
import { icon } from '../icons.js';
import { longText } from '../long.js';

const MILESTONES = [
  ['detect_s', 'Detected'],
  ['diagnose_s', 'Diagnosed'],
  ['mitigate_s', 'Mitigated'],
];

class ResultCard extends HTMLElement {
  /** @param {import('../model.js').View} view */
  update({ incident }) {
    // An ended incident does not change, so the card is built once.
    const key = incident?.resolution ? `${incident.id} ${incident.index}` : '';
    if (this.built === key) return;
    this.built = key;
    this.replaceChildren();
    if (!key) return;
    const close = element(
      'button',
      { type: 'button', class: 'quiet-button', title: 'Close this incident' },
      icon('close'),
      'Close',
    );
    close.addEventListener('click', () => this.dispatchEvent(new CustomEvent('incident-dismiss', { bubbles: true })));
    this.append(resultOf(incident, { id: 'result', heading: 'h3', brief: true }, close));
  }
}

/**
 * The card of an ended incident.
 * @param {import('../fold.js').IncidentState} incident
 * @param {{id?: string, heading: string, brief?: boolean}} options brief: without what the headline says above it
 * @param {Node} action the button in its corner
 */
export function resultOf(incident, { id, heading, brief = false }, action) {
  const { resolution, cost, users_peak: users, actions, hypotheses } = incident;
  const resolved = incident.state === 'resolved';
  const root = hypotheses.find((hypothesis) => hypothesis.id === resolution?.root_cause);
  return element(
    'section',
    { class: 'result panel', id, 'data-outcome': incident.state, 'aria-label': 'Result' },
    element(
      'header',
      {},
      !brief && element('span', { class: 'outcome' }, icon(resolved ? 'check' : 'close'), resolved ? 'Resolved' : 'Cancelled'),
      element(heading, {}, brief ? 'How it went' : verdict(incident)),
      element('span', { class: 'grow' }),
      action,
    ),
    element('ol', { class: 'milestones' }, ...milestones(incident)),
    element(
      'dl',
      { class: 'totals' },
      ...(cost && !brief ? pair('Cost', cashShort(cost.total, cost.currency)) : []),
      ...(users === null || brief ? [] : pair('Peak users', compact(users))),
      ...pair('Actions', `${count(actions.total)}${actions.failed > 0 ? `, ${count(actions.failed)} failed` : ''}`),
    ),
    element(
      'div',
      { class: 'after' },
      root && !brief && element('p', {}, element('span', { class: 'label' }, 'Root cause'), ...longText('span', {}, root.claim)),
      resolution?.followups.length > 0 &&
        element(
          'div',
          {},
          element('span', { class: 'label' }, 'Follow-ups'),
          element('ul', {}, ...resolution.followups.map((one) => element('li', {}, element('div', {}, ...longText('p', {}, one))))),
        ),
    ),
  );
}

function verdict(incident) {
  const { resolution, target_s } = incident;
  if (!resolution) return incident.title;
  const took = resolution.durations.resolve_s;
  const after = `after ${clock(took, inHours(incident))}`;
  if (target_s === null || incident.state !== 'resolved') return after;
  const over = took - target_s;
  if (over >= 0.5) return `${after}, ${duration(Math.round(over))} over target`;
  return over > -1 ? `${after}, on target` : `${after}, ${duration(Math.floor(-over))} before target`;
}

/** The milestones that were reached, in order of time, and the end: real incidents are often mitigated before they are diagnosed. */
function milestones(incident) {
  const { durations } = incident.resolution ?? { durations: {} };
  const reached = MILESTONES.filter(([field]) => durations[field] !== undefined);
  reached.sort(([one], [other]) => durations[one] - durations[other]);
  if (durations.resolve_s !== undefined) reached.push(['resolve_s', incident.state === 'resolved' ? 'Resolved' : 'Cancelled']);
  return reached.map(([field, word]) =>
    element(
      'li',
      {},
      element('span', { class: 'label' }, word),
      element('span', { class: 'digits' }, clock(durations[field], inHours(incident))),
    ),
  );
}

function pair(name, value) {
  return [element('div', {}, element('dt', { class: 'label' }, name), element('dd', { class: 'digits' }, value))];
}

customElements.define('result-card', ResultCard);
