// Owns the business impact: the users affected now and at the peak, and the projected or total cost.

import { element, setText, show } from '../dom.js';
import { cash, cashShort, clock, count } from '../format.js';

class Impact extends HTMLElement {
  connectedCallback() {
    this.users = element('span', { class: 'digits' });
    this.peak = element('span', { class: 'sub' });
    this.moneyLabel = element('span', { class: 'label' });
    this.money = element('span', { class: 'digits' });
    this.rate = element('span', { class: 'sub' });
    this.none = element('p', { class: 'muted empty' }, 'No impact was measured yet.');
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
    const measured = users !== null || peak !== null || cost !== null;
    // A real incident may never have any.
    show(this, measured || incident.synthetic);
    show(this.none, !measured);
    show(this.usersBox, users !== null || peak !== null);
    show(this.moneyBox, cost !== null);
    setText(this.users, users === null ? '–' : count(users));
    setText(this.peak, peak === null ? '' : `peak ${count(peak)}`);
  }

  /** @param {import('../model.js').View} view */
  tick({ incident, moment: { cost, projected, end_s }, hours }) {
    if (!cost) return;
    const { currency, total, per_minute } = cost;
    const open = incident.state === 'open';
    const label = open ? (projected === null ? 'Cost so far' : `Cost by ${clock(end_s, hours)}`) : 'Total cost';
    setText(this.moneyLabel, label);
    setText(this.money, projected === null ? cashShort(total, currency) : `≈ ${cashShort(projected, currency)}`);
    setText(this.rate, open ? `at ${cash(per_minute, currency)}/min` : '');
  }
}

customElements.define('impact-panel', Impact);
