// Owns the view for a projector, `?show`: no controls and bigger digits. It is a part of the address, so a link can have it.

import { element, setAttribute } from '../dom.js';

const page = document.documentElement;

export const isShow = () => page.hasAttribute('data-show');

/** @param {boolean} on */
export function setShow(on) {
  setAttribute(page, 'data-show', on);
  const address = new URL(location.href);
  if (on) address.searchParams.set('show', '');
  else address.searchParams.delete('show');
  // `show=` would read as if a value were missing.
  const href = address.href.replace(/([?&]show)=(?=&|#|$)/, '$1');
  if (href !== location.href) history.replaceState(null, '', href);
}

class ShowExit extends HTMLElement {
  connectedCallback() {
    setAttribute(page, 'data-show', new URLSearchParams(location.search).has('show'));
    const button = element('button', { type: 'button', id: 'leave-show', title: 'Show the controls (v)' }, 'Show controls');
    button.addEventListener('click', () => setShow(false));
    this.append(button);
  }
}

customElements.define('show-exit', ShowExit);
