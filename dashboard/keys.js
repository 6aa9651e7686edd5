// Owns the keyboard: every key of the page in one table, which the help shows. Keys of one panel are only described here.

import { isOn } from './preferences.js';

/**
 * @typedef {object} Key
 * @property {string[]} keys as `KeyboardEvent.key` names them; any of them does it
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

/** Keys that write or choose in a field mean nothing else there. */
const FIELDS = 'input, textarea, select, [contenteditable]';

addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target instanceof Element ? event.target : document.body;
  // A dialog has the page to itself.
  if (target.closest(FIELDS) || document.querySelector('dialog[open]')) return;
  // One who speaks to the computer, or rests a hand on the keys, can switch the letters off. `?` leads to the switch.
  if (!isOn('keys') && event.key !== '?' && event.key.length === 1) return;
  const bound = table.find(({ keys, run, when }) => run && keys.includes(event.key) && (when?.() ?? true));
  if (!bound) return;
  event.preventDefault();
  bound.run();
});
