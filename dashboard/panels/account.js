// Owns the log-out button.

import { forgetDrafts } from '../additions.js';
import { logOut } from '../api.js';
import { element, setAttribute, setText, show } from '../dom.js';
import { icon } from '../icons.js';

class AccountMenu extends HTMLElement {
  connectedCallback() {
    this.word = element('span', { class: 'word' }, 'Log out');
    this.button = element('button', { id: 'logout', type: 'button', hidden: true }, icon('logout'), this.word);
    setAttribute(this.button, 'title', 'Log out');
    setAttribute(this.button, 'aria-label', 'Log out');
    this.button.addEventListener('click', () => this.#leave());
    this.append(this.button);
  }

  /** @param {import('../model.js').View} view */
  update({ session }) {
    show(this.button, session?.authenticated === true);
  }

  async #leave() {
    try {
      await logOut();
      forgetDrafts();
      location.reload();
    } catch (error) {
      setText(this.word, 'Log-out failed');
      setAttribute(this.button, 'title', error.message);
      setTimeout(() => setText(this.word, 'Log out'), 3000);
    }
  }
}

customElements.define('account-menu', AccountMenu);
