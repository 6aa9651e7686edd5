// Owns ending a drill before its time, which is asked for twice.

import { cancel } from '../api.js';
import { element, setAttribute, setText, show } from '../dom.js';
import { dialogOf } from './dialog.js';

/**
 * Asks whether a drill should end now.
 * @param {import('../fold.js').IncidentState} incident
 */
export function open({ id, title }) {
  const keep = element('button', { type: 'button', autofocus: true }, 'Keep it running');
  const end = element('button', { type: 'button', class: 'danger' }, 'End the drill');
  const problem = element('p', { class: 'problem', role: 'alert', hidden: true });
  const dialog = dialogOf(
    { id: 'cancel', heading: 'End this drill?', className: 'small-sheet' },
    element('p', {}, element('b', {}, title), ' ', element('span', { class: 'muted' }, id)),
    element('p', {}, 'It ends now as cancelled, for everyone who watches it. This cannot be undone.'),
    problem,
    element('footer', {}, keep, end),
  );
  keep.addEventListener('click', () => dialog.close());
  end.addEventListener('click', async () => {
    setAttribute(end, 'disabled', true);
    show(problem, false);
    try {
      const { cancelled_now, outcome } = await cancel(id);
      if (cancelled_now) return dialog.close();
      setText(problem, `It had ended before: ${outcome}.`);
      end.remove();
      setText(keep, 'Close');
    } catch (error) {
      setText(problem, `It was not ended: ${error.message}`);
    }
    show(problem, true);
    setAttribute(end, 'disabled', null);
  });
  dialog.open_();
}
