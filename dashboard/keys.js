// Owns the keys of the page: one table of what each does, which the help shows, and when a key belongs to a field instead.

import { isOn } from './preferences.js';
import { isZoomed } from './zoom.js';

/**
 * @typedef {object} Key
 * @property {string[]} keys as `KeyboardEvent.key` names them, `Shift+` before names of more than a letter; any of them does it
 * @property {string} group heading in the help
 * @property {string} what it does, in a few words
 * @property {() => void} [run] missing where a panel handles the key by itself
 * @property {() => boolean} [when] whether the key does something now
 */

/** @type {Key[]} */
const table = [];

/**
 * Binds keys for the whole page.
 * @param {string | string[]} keys
 * @param {Omit<Key, 'keys'>} does
 */
export function bindKey(keys, does) {
  table.push({ keys: [keys].flat(), ...does });
}

/**
 * Describes keys that a panel handles while it has the focus.
 * @param {string | string[]} keys
 * @param {{group: string, what: string}} does
 */
export function describeKey(keys, does) {
  table.push({ keys: [keys].flat(), ...does });
}

/** Every key, by the heading of its group. @returns {Map<string, Key[]>} */
export function keysByGroup() {
  return Map.groupBy(table, ({ group }) => group);
}

/** Keys that choose the moment that is shown: each sends an event to the page, if there is an incident on screen. */
const MOMENT = [
  { keys: ['ArrowLeft'], what: 'Five seconds back', name: 'scrub-seconds', detail: -5 },
  { keys: ['ArrowRight'], what: 'Five seconds on', name: 'scrub-seconds', detail: 5 },
  { keys: [',', 'Shift+ArrowLeft'], what: 'One event back', name: 'scrub-event', detail: -1 },
  { keys: ['.', 'Shift+ArrowRight'], what: 'One event on', name: 'scrub-event', detail: 1 },
  { keys: ['['], what: 'To the mark before', name: 'scrub-mark', detail: -1 },
  { keys: [']'], what: 'To the next mark', name: 'scrub-mark', detail: 1 },
  { keys: ['p'], what: 'Pause, or go on', name: 'scrub-pause' },
  { keys: ['z'], group: 'Charts', what: 'Less time, in more detail', name: 'zoom-by', detail: 2 },
  { keys: ['o'], group: 'Charts', what: 'More time', name: 'zoom-by', detail: 0.5 },
  { keys: ['Escape'], group: 'Charts', what: 'The whole incident again', name: 'zoom-all', only: isZoomed },
  { keys: ['Escape'], what: 'Back to live', name: 'scrub-live' },
  { keys: ['c'], what: 'Copy the link to this moment', name: 'link-copy' },
];
for (const { keys, group = 'This moment', what, name, detail, only = () => true } of MOMENT) {
  bindKey(keys, {
    group,
    what,
    when: () => document.documentElement.dataset.view === 'incident' && only(),
    run: () => dispatchEvent(new CustomEvent(name, { detail })),
  });
}

/** What takes its own keys. */
const FIELDS = 'input:not([type=range]), textarea, select, [contenteditable], [role=tablist], [role=listbox], [role=menu]';
/** What takes arrow keys only. */
const ARROWS = '.charts, [role=log], [role=group][tabindex]';

/** Does what each key means, unless something in the page takes it. */
export function listenToKeys() {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target instanceof Element ? event.target : document.body;
    // A dialog or a menu has the page to itself.
    if (target.closest(FIELDS) || document.querySelector('dialog[open], :popover-open')) return;
    if (event.key.startsWith('Arrow') && target.closest(ARROWS)) return;
    const isSign = event.key.length === 1;
    // Those who speak to the computer, or rest a hand on the keys, can switch signs off. `?` leads to the switch.
    if (isSign && event.key !== '?' && !isOn('keys')) return;
    const pressed = isSign ? event.key.toLowerCase() : event.shiftKey ? `Shift+${event.key}` : event.key;
    const bound = table.find(({ keys, run, when }) => run && keys.includes(pressed) && (when?.() ?? true));
    if (!bound) return;
    event.preventDefault();
    bound.run();
  });
}
