// Owns the menu that starts incidents while one is shown, what came of it, and the badge of a session that can only read.

import { element, setAttribute, setText, show } from '../dom.js';
import { icon } from '../icons.js';
import { bindKey } from '../keys.js';
import './scenarios.js';

class TriggerMenu extends HTMLElement {
  connectedCallback() {
    this.picker = element('scenario-picker');
    this.menu = element(
      'div',
      { id: 'trigger-menu', class: 'menu', popover: 'auto' },
      element('h2', {}, 'Start a scenario'),
      this.picker,
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
    // A form waits for the answer, because mistakes are said beside its fields.
    this.addEventListener('incident-trigger', ({ detail }) => detail.of || this.menu.hidePopover());
    this.menu.addEventListener('beforetoggle', ({ newState }) => newState === 'open' && this.#list());
    this.menu.addEventListener('toggle', ({ newState }) => newState === 'open' && this.picker.focusFirst());
    this.toastShow.addEventListener('click', () => {
      this.#hideToast();
      this.dispatchEvent(new CustomEvent('incident-select', { detail: this.started, bubbles: true }));
    });
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { mode, session, mayWrite, scenarios, triggered, frozen, incident } = view;
    // The quiet page has its own buttons: the page has one button per scenario.
    const here = (mode === 'incident' || mode === 'board') && mayWrite;
    show(this.readOnly, session?.scope === 'read');
    show(this.button, here);
    setAttribute(this.button, 'disabled', frozen || !scenarios?.length);
    setAttribute(this.button, 'title', frozen ? 'Not connected. No incident can be started.' : 'Start another incident');
    if ((frozen || !here) && this.menu.matches(':popover-open')) this.menu.hidePopover();
    this.view = view;
    if (!here || this.menu.matches(':popover-open')) this.#list();
    if (triggered !== this.reported && triggered?.state === 'started' && this.menu.matches(':popover-open'))
      this.menu.hidePopover();
    // The incident that is selected behind the list is not on screen.
    this.#report(triggered, here, mode === 'incident' ? (incident?.id ?? null) : null);
  }

  /** The scenarios, which are seen only while the menu is open. */
  #list() {
    if (this.view) this.picker.update(this.view, this.button.hidden ? [] : (this.view.scenarios ?? []));
  }

  #report(triggered, here, onScreen) {
    if (triggered !== this.reported) {
      this.reported = triggered;
      this.started = triggered?.id ?? null;
      setText(this.toastText, triggered?.text ?? '');
      setAttribute(this.toast, 'data-failed', triggered?.failed);
      show(this.toast, here && triggered !== null && !(triggered.of && triggered.failed));
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.#hideToast(), 8000);
    }
    show(this.toastShow, this.started !== null && this.started !== onScreen);
    if ((!here && !this.telling) || (this.started && this.started === onScreen)) this.#hideToast();
  }

  /**
   * Says that something which a person wanted did not work.
   * @param {string} text
   */
  tell(text) {
    this.telling = true;
    this.started = null;
    setAttribute(this.toast, 'role', 'alert');
    setText(this.toastText, text);
    setAttribute(this.toast, 'data-failed', true);
    show(this.toastShow, false);
    show(this.toast, true);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#hideToast(), 8000);
  }

  #hideToast() {
    this.telling = false;
    setAttribute(this.toast, 'role', null);
    clearTimeout(this.timer);
    show(this.toast, false);
  }
}

bindKey('t', {
  group: 'The page',
  what: 'Start a scenario',
  when: () => document.querySelector('#trigger')?.checkVisibility() === true,
  run: () => document.querySelector('#trigger').click(),
});

customElements.define('trigger-menu', TriggerMenu);
