// Owns the business impact: users affected now and at the worst, and what it costs.

import { element, setText, show } from '../dom.js';
import { cash, clock, count } from '../format.js';

class Impact extends HTMLElement {
  connectedCallback() {
    this.users = element('span', { class: 'digits' });
    this.peak = element('span', { class: 'sub' });
    this.rate = element('span', { class: 'digits' });
    this.projected = element('span', { class: 'sub' });
    this.none = element('p', { class: 'muted empty' }, 'Not measured yet.');
    this.usersBox = element('div', { class: 'number' }, element('span', { class: 'label' }, 'Users affected'), this.users, this.peak);
    this.rateBox = element('div', { class: 'number' }, element('span', { class: 'label' }, 'Cost per minute'), this.rate, this.projected);
    this.append(element('header', {}, element('h3', {}, 'Business impact')), this.none, element('div', { class: 'pair' }, this.usersBox, this.rateBox));
  }

  /** @param {import('../model.js').View} view */
  update({ incident }) {
    const { users_affected: users, users_peak: peak, cost, state } = incident;
    show(this.none, users === null && cost === null);
    show(this.usersBox, users !== null || peak !== null);
    show(this.rateBox, cost !== null);
    setText(this.users, users === null ? '–' : count(users));
    setText(this.peak, peak === null ? '' : `peak ${count(peak)}`);
    if (!cost) return;
    setText(this.rate, cash(state === 'open' ? cost.per_minute : 0, cost.currency));
  }

  /** @param {import('../model.js').View} view */
  tick({ moment, hours }) {
    if (!moment.cost) return;
    const { currency, total } = moment.cost;
    setText(this.projected, moment.projected === null
      ? `${cash(total, currency)} in all`
      : `≈ ${cash(moment.projected, currency)} at ${clock(moment.end_s, hours)}`);
  }
}

customElements.define('impact-panel', Impact);
