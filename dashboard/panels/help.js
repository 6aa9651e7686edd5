// Owns the help: every key of the page, and the switch for those who want no letters as keys.

import { element, setAttribute } from '../dom.js';
import { keysByGroup } from '../keys.js';
import { isOn, setOn } from '../preferences.js';
import { dialogOf } from './dialog.js';

/** How keys are written. */
const WRITTEN = { Escape: 'Esc', ArrowLeft: '←', ArrowRight: '→', 'Shift+ArrowLeft': 'Shift ←', 'Shift+ArrowRight': 'Shift →' };

/** Shows every key. */
export function open() {
  const groups = [...keysByGroup()].map(([group, keys]) =>
    element(
      'section',
      {},
      element('h3', {}, group),
      element('dl', {}, ...keys.flatMap(({ keys: any, what }) => row(any, what))),
    ),
  );
  const letters = element('input', { type: 'checkbox', id: 'help-letters' });
  letters.checked = isOn('keys');
  letters.addEventListener('change', () => setOn('keys', letters.checked));
  const dialog = dialogOf(
    { id: 'help', heading: 'Keys', className: 'wide-sheet' },
    element('div', { class: 'help-groups', tabindex: '0', role: 'group', 'aria-label': 'All keys' }, element('div', {}, ...groups)),
    element(
      'p',
      { class: 'help-switch' },
      letters,
      element('label', { for: 'help-letters' }, 'Letters and signs act as keys'),
      element('span', { class: 'muted' }, '(“?” always opens this help)'),
    ),
  );
  dialog.addEventListener('keydown', (event) => {
    if (event.key === '?') dialog.close();
  });
  setAttribute(dialog, 'data-groups', groups.length);
  dialog.open_();
}

function row(keys, what) {
  const shown = keys.flatMap((key, place) => [place > 0 && ' ', element('kbd', {}, WRITTEN[key] ?? key)]);
  return [element('div', {}, element('dt', {}, ...shown), element('dd', {}, what))];
}
