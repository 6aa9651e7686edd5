// Owns the business impact: users affected now and at the worst, and what it will have cost in the end.

import { element, setText, show } from '../dom.js';
import { cash, cashShort, clock, count } from '../format.js';

class Impact extends HTMLElement {
  connectedCallback() {
    this.users = element('span', { class: 'digits' });
    this.peak = element('span', { class: 'sub' });
    this.moneyLabel = element('span', { class: 'label' });
    this.money = element('span', { class: 'digits' });
    this.rate = element('span', { class: 'sub' });
    this.none = element('p', { class: 'muted empty' }, 'Not measured yet.');
    this.usersBox = element(
      'div',
      { class: 'number' },
      element('span', { class: 'label' }, 'Users affected'),
      this.users,
      this.peak,
    );
    this.moneyBox = element('div', { class: 'number' }, this.moneyLabel, this.money, this.rate);
    this.append(
      element('header', {}, element('h3', {}, 'Business impact')),
      this.none,
      element('div', { class: 'pair' }, this.usersBox, this.moneyBox),
    );
  }

  /** @param {import('../model.js').View} view */
  update({ incident }) {
    const { users_affected: users, users_peak: peak, cost } = incident;
    show(this.none, users === null && cost === null);
    show(this.usersBox, users !== null || peak !== null);
    show(this.moneyBox, cost !== null);
    setText(this.users, users === null ? '–' : count(users));
    setText(this.peak, peak === null ? '' : `peak ${count(peak)}`);
  }

  /** @param {import('../model.js').View} view */
  tick({ moment, hours }) {
    if (!moment.cost) return;
    const { currency, total, per_minute } = moment.cost;
    const open = moment.projected !== null;
    setText(this.moneyLabel, open ? `Cost by ${clock(moment.end_s, hours)}` : 'Cost in all');
    setText(this.money, open ? `≈ ${cashShort(moment.projected, currency)}` : cashShort(total, currency));
    setText(this.rate, open ? `at ${cash(per_minute, currency)}/min` : '');
  }
}

customElements.define('impact-panel', Impact);
