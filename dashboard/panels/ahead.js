// Owns what is known to come while little has happened: the phases of the plan and what is watched.

import { entryOf } from '../contract.js';
import { element, keyed, setAttribute, setText, show } from '../dom.js';
import { clock, words } from '../format.js';
import { icon, phaseIcon } from '../icons.js';

/** With more rows than these in the feed, the feed needs the room. */
const FEW = 5;

class Ahead extends HTMLElement {
  connectedCallback() {
    this.phases = element('ol');
    this.watched = element('ul');
    this.append(
      element('header', {}, element('h3', {}, 'To come')),
      element(
        'div',
        { class: 'columns' },
        element('div', {}, element('h4', { class: 'label' }, 'Phases of the plan'), this.phases),
        element('div', {}, element('h4', { class: 'label' }, 'What is watched'), this.watched),
      ),
    );
  }

  /** @param {import('../model.js').View} view */
  update({ incident, history, hours }) {
    const { state, phases, units, services, phase } = incident;
    const rows = history?.entries.length ?? 0;
    const now = phases.findIndex(({ name }) => name === phase);
    const coming = phases.slice(now + 1);
    show(this, state === 'open' && phases.length > 0 && rows <= FEW && (history?.dropped ?? 0) === 0);
    if (this.hidden) return;
    show(this.phases.parentElement, coming.length > 0);
    keyed(this.phases, coming, ({ name, start_s }) => `${name} ${start_s}`, createPhase, (node, one) =>
      setText(node.lastElementChild, `from ${clock(one.start_s, hours)}`),
    );
    const metrics = Object.entries(units).map(([name, unit]) => ({ name, text: words(name), unit: unitOf(unit) }));
    const places = services.map((name) => ({ name: ` ${name}`, text: name, unit: 'service' }));
    keyed(this.watched, [...metrics, ...places], ({ name }) => name, createWatched, (node, one) => setText(node.lastElementChild, one.unit));
    show(this.watched.parentElement, metrics.length + places.length > 0);
  }
}

function createPhase({ name }) {
  const node = element('li', { 'data-phase': name }, icon(phaseIcon(name)), element('span', { class: 'word' }, words(name)), element('span', { class: 'sub digits' }));
  setAttribute(node, 'title', words(name));
  return node;
}

function createWatched({ text }) {
  const node = element('li', {}, element('span', { class: 'word' }, text), element('span', { class: 'sub' }));
  setAttribute(node, 'title', text);
  return node;
}

const UNITS = { ratio: 'in %', '1/s': 'per second', ms: 'in ms', s: 'in seconds', count: 'counted', '': 'a number' };

/** A unit, written for people. */
function unitOf(unit) {
  return entryOf(UNITS, unit) ?? `in ${unit}`;
}

customElements.define('ahead-panel', Ahead);
