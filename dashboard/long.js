// Owns texts that can be of any length: beyond a few lines they are cut, with a button for the rest.

import { element, setAttribute, setText } from './dom.js';

/** Texts up to this length are shown whole. */
const WHOLE = 320;
/** Of a text that nobody opened, no more than this is given to the page. */
const SHOWN = 600;

/**
 * An element with a text.
 * @param {string} tag
 * @param {Record<string, string | null>} attributes
 * @param {string} text
 * @returns {Node[]} the element, and the button if the text is long
 */
export function longText(tag, attributes, text) {
  const node = element(tag, attributes, text.length > SHOWN ? cut(text) : text);
  if (text.length <= WHOLE) return [node];
  node.classList.add('cut');
  const more = element('button', { type: 'button', class: 'more-text', 'aria-expanded': 'false' }, 'More');
  more.addEventListener('click', () => {
    const open = more.getAttribute('aria-expanded') !== 'true';
    setAttribute(more, 'aria-expanded', String(open));
    setText(more, open ? 'Less' : 'More');
    setText(node, open ? text : cut(text));
    node.classList.toggle('cut', !open);
  });
  return [node, more];
}

/** Half of a surrogate pair at the cut would show as a replacement character. */
function cut(text) {
  return text.length > SHOWN ? `${text.slice(0, SHOWN).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}
