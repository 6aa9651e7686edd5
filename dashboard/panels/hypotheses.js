// Owns the hypotheses: the probability of each one now, its highest so far, and the rest that is unknown.

import { element, keyed, setAttribute, setProperty, setText, show } from '../dom.js';
import { percent } from '../format.js';
import { setIcon } from '../icons.js';

class Hypotheses extends HTMLElement {
  connectedCallback() {
    this.list = element('ul', { class: 'hypotheses' });
    this.none = element('p', { class: 'muted empty' }, 'No hypothesis yet.');
    this.append(element('header', {}, element('h3', {}, 'Hypotheses')), this.none, this.list);
  }

  /** @param {import('../model.js').View} view */
  update({ incident: { hypotheses, resolution, synthetic } }) {
    // A real incident may never have any.
    show(this, hypotheses.length > 0 || synthetic);
    show(this.none, hypotheses.length === 0);
    const root = resolution?.root_cause ?? null;
    const leader = Math.max(0, ...hypotheses.map(({ p }) => p));
    const known = hypotheses.reduce((sum, { p }) => sum + p, 0);
    // The most important one is on top, where it is always visible. Equal ones keep their order of appearance.
    const rows = hypotheses
      .map((hypothesis) => ({ ...hypothesis, verdict: verdict(hypothesis, root, leader) }))
      .sort((a, b) => (b.id === root) - (a.id === root) || b.p - a.p);
    if (rows.length > 0 && root === null) {
      const p = Math.max(0, 1 - known);
      rows.push({ id: ' unknown', claim: 'Unknown', p, peak: p, verdict: { name: 'unknown', word: '' } });
    }
    keyed(this.list, rows, (row) => row.id, create, refresh);
  }
}

function verdict({ id, p }, root, leader) {
  if (root !== null) return id === root ? { name: 'proved', word: 'root cause' } : { name: 'out', word: 'ruled out' };
  if (p === leader && p > 0) return { name: 'leading', word: 'leading' };
  return { name: 'open', word: '' };
}

function create() {
  return element(
    'li',
    { class: 'hypothesis' },
    element('span', { class: 'claim' }),
    element('span', { class: 'value digits' }),
    element('span', { class: 'bar' }),
    element('span', { class: 'verdict' }, element('span'), element('span')),
  );
}

function refresh(node, { claim, p, peak, verdict: { name, word } }) {
  const [text, value, bar, badge] = node.children;
  setAttribute(node, 'data-verdict', name);
  setText(text, claim);
  setAttribute(text, 'title', claim);
  show(badge, word !== '');
  setText(badge.lastElementChild, word);
  if (word) setIcon(badge.firstElementChild, name === 'out' ? 'close' : name === 'leading' ? 'predict' : 'check');
  setProperty(bar, '--value', p);
  setProperty(bar, '--peak', peak);
  setAttribute(bar, 'title', peak > p ? `highest so far: ${percent(peak)}` : null);
  setText(value, percent(p));
}

customElements.define('hypotheses-panel', Hypotheses);
