// Owns the button that copies the link to the moment on screen.

import { element, setText, show } from '../dom.js';
import { icon } from '../icons.js';
import { copy } from '../link.js';

/** How long the button says what happened. */
const SAID_MS = 4000;

class CopyLink extends HTMLElement {
  connectedCallback() {
    this.word = element('span', { class: 'word' }, 'Copy link');
    this.button = element(
      'button',
      { type: 'button', id: 'copy-link', title: 'Copy the link to this moment (C)', 'aria-label': 'Copy the link to this moment' },
      icon('link'),
      this.word,
    );
    this.button.addEventListener('click', () => dispatchEvent(new CustomEvent('link-copy')));
    this.said = element('span', { class: 'unseen', role: 'status' });
    this.append(this.button, this.said);
  }

  /** @param {import('../model.js').View} view */
  update({ mode }) {
    show(this, mode === 'incident');
  }

  /** @param {string} link */
  async copy(link) {
    if (this.hidden) return;
    const copied = await copy(link);
    // Without the clipboard, the address of the page is the link.
    if (!copied) history.replaceState(null, '', link);
    setText(this.word, copied ? 'Copied' : 'In the address bar');
    setText(this.said, copied ? 'The link to this moment was copied.' : 'The link to this moment is in the address bar.');
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      setText(this.word, 'Copy link');
      setText(this.said, '');
    }, SAID_MS);
  }
}

customElements.define('copy-link', CopyLink);
