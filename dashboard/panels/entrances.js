// Owns the ways to the parts of the page that are loaded when they are wanted: their keys, their dialogs, and what is said when a
// part cannot be loaded.

import { bindKey, describeKey } from '../keys.js';
import { part } from '../parts.js';

const isShown = (mode) => document.documentElement.dataset.view === mode;

/**
 * Opens a dialog of a part.
 * @param {'report' | 'cancel' | 'help'} name
 * @param {any} [about] what the dialog is about
 */
export async function openDialog(name, about) {
  try {
    const { open } = await part(name);
    open(about);
  } catch {
    tellNotLoaded();
  }
}

/** The server is gone, or is another version by now. */
export function tellNotLoaded() {
  document.querySelector('trigger-menu').tell('This part of the page could not be loaded. Try again when the server is back.');
}

/** @param {boolean} shown */
export function showBoard(shown) {
  dispatchEvent(new CustomEvent('board-show', { detail: shown }));
}

function leaveComparison() {
  dispatchEvent(new CustomEvent('compare-show', { detail: null }));
}

bindKey('?', { group: 'The page', what: 'This help', run: () => openDialog('help') });
bindKey('i', { group: 'The page', what: 'All incidents, and back', run: () => showBoard(!isShown('board')) });
bindKey('Escape', { group: 'All incidents', what: 'Back', when: () => isShown('board'), run: () => showBoard(false) });
describeKey(['↑', '↓'], { group: 'All incidents', what: 'Go through the list' });
describeKey('Enter', { group: 'All incidents', what: 'Show the incident' });
describeKey('p', { group: 'All incidents', what: 'Keep the incident as a tab' });
bindKey('Escape', { group: 'Comparing two runs', what: 'Back', when: () => isShown('compare'), run: leaveComparison });
describeKey(['←', '→'], { group: 'Comparing two runs', what: 'Move the cursor of both' });
