// Owns what all dialogs of the page share: a heading, a way out, and the place where the focus returns to.

import { element } from '../dom.js';
import { icon } from '../icons.js';

/**
 * A dialog with a heading and a button that closes it. It is in the page while it is open.
 * @param {{id: string, heading: string, className?: string}} options
 * @param {...(Node | false)} children
 * @returns {HTMLDialogElement & {actions: HTMLElement, open_: () => void}}
 */
export function dialogOf({ id, heading, className = '' }, ...children) {
  const actions = element('span', { class: 'dialog-actions' });
  const close = element('button', { type: 'button', class: 'quiet-button close', title: 'Close (Esc)' }, icon('close'), 'Close');
  const dialog = element(
    'dialog',
    { id, class: `sheet ${className}`.trim(), 'aria-labelledby': `${id}-heading` },
    element('header', {}, element('h2', { id: `${id}-heading` }, heading), element('span', { class: 'grow' }), actions, close),
    ...children,
  );
  close.addEventListener('click', () => dialog.close());
  // A click beside it closes it.
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  return Object.assign(dialog, {
    actions,
    open_: () => {
      if (!dialog.isConnected) document.body.append(dialog);
      if (!dialog.open) dialog.showModal();
    },
  });
}
