// Owns starting incidents: the button of a scenario, the menu of these buttons while an incident is shown, and the badge
// of a session that can only read.

import { element, keyed, setAttribute, setText, show } from '../dom.js';
import { duration } from '../format.js';
import { icon } from '../icons.js';

class TriggerMenu extends HTMLElement {
  connectedCallback() {
    this.cards = element('div', { class: 'cards' });
    this.note = element('p', { class: 'note' });
    this.menu = element(
      'div',
      { id: 'trigger-menu', class: 'menu', popover: 'auto' },
      element('h2', {}, 'Start a scenario'),
      this.cards,
    );
    this.button = element(
      'button',
      { id: 'trigger', type: 'button', popovertarget: 'trigger-menu' },
      icon('bolt'),
      element('span', {}, 'Trigger'),
    );
    this.readOnly = element('span', { id: 'read-only', class: 'badge', hidden: true }, 'Read only');
    setAttribute(this.readOnly, 'title', 'This session can only read. Starting incidents and adding notes need a write token.');
    this.toastText = element('span');
    this.toastShow = element('button', { type: 'button', class: 'quiet-button' }, 'Show');
    this.toast = element('p', { class: 'toast', hidden: true }, this.toastText, this.toastShow);
    this.append(this.toast, this.readOnly, this.button, this.menu);
    this.addEventListener('incident-trigger', () => this.menu.hidePopover());
    this.toastShow.addEventListener('click', () => {
      this.#hideToast();
      this.dispatchEvent(new CustomEvent('incident-select', { detail: this.started, bubbles: true }));
    });
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { mode, session, mayWrite, scenarios, triggered, frozen, incident } = view;
    // The quiet page has its own buttons: the page has one button per scenario.
    const here = mode === 'incident' && mayWrite;
    show(this.readOnly, session?.scope === 'read');
    show(this.button, here);
    setAttribute(this.button, 'disabled', frozen || !scenarios?.length);
    setAttribute(this.button, 'title', frozen ? 'Not connected. No incident can be started.' : 'Start another incident');
    if ((frozen || !here) && this.menu.matches(':popover-open')) this.menu.hidePopover();
    keyed(
      this.cards,
      here ? (scenarios ?? []) : [],
      (scenario) => scenario.id,
      scenarioButton,
      (node, scenario) => refreshScenario(node, scenario, view),
    );
    this.#report(triggered, here, incident);
  }

  #report(triggered, here, incident) {
    if (triggered !== this.reported) {
      this.reported = triggered;
      this.started = triggered?.id ?? null;
      setText(this.toastText, triggered?.text ?? '');
      setAttribute(this.toast, 'data-failed', triggered?.failed);
      show(this.toast, here && triggered !== null);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#hideToast(), 8000);
    }
    show(this.toastShow, this.started !== null && this.started !== incident?.id);
    if (!here || (this.started && this.started === incident?.id)) this.#hideToast();
  }

  #hideToast() {
    clearTimeout(this.timer);
    show(this.toast, false);
  }
}

/**
 * The button that starts a scenario.
 * @param {import('../api.js').Scenario} scenario
 */
export function scenarioButton(scenario) {
  const button = element(
    'button',
    { type: 'button', class: 'card', 'data-scenario': scenario.id },
    element('span', { class: 'badge severity' }),
    element('span', { class: 'card-title' }),
    element('span', { class: 'card-facts' }),
  );
  button.addEventListener('click', () => {
    button.dispatchEvent(new CustomEvent('incident-trigger', { detail: scenario.id, bubbles: true }));
  });
  return button;
}

/**
 * @param {HTMLElement} button
 * @param {import('../api.js').Scenario} scenario
 * @param {import('../model.js').View} view
 */
export function refreshScenario(button, scenario, { frozen }) {
  const [severity, title, facts] = button.children;
  setText(severity, scenario.severity ?? '');
  setAttribute(severity, 'data-severity', scenario.severity);
  setText(title, scenario.title ?? scenario.id);
  const plays = Number.isFinite(scenario.screen_s) ? `plays ${duration(scenario.screen_s)}` : null;
  const target = Number.isFinite(scenario.target_s) ? `target ${duration(scenario.target_s)}` : null;
  setText(facts, [scenario.id, plays, target].filter(Boolean).join(' · '));
  setAttribute(button, 'disabled', frozen);
  setAttribute(button, 'title', frozen ? 'Not connected. No incident can be started.' : `Start ${scenario.id}`);
}

customElements.define('trigger-menu', TriggerMenu);
