// Owns building and updating DOM nodes. It sets text, never markup, and writes only what changed. Every text of the page goes
// through the gate here, so that no event can steer how the page reads.

import { visible } from './visible.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * Creates an element. Strings among the children become text.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes] `true` is an empty attribute;
 *   `null` and `false` are left out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * Creates an SVG element.
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) setAttribute(node, name, value);
  const shown = children.filter((child) => child !== null && child !== undefined && child !== false);
  node.append(...shown.map((child) => (child instanceof Node ? child : visible(String(child)))));
  return node;
}

/**
 * @param {Element} node
 * @param {string} name
 * @param {string | number | boolean | null | undefined} value `null` and `false` remove it
 */
export function setAttribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const text = value === true ? '' : visible(String(value));
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

/**
 * @param {Element} node whose only child is text
 * @param {string} text
 */
export function setText(node, text) {
  const shown = visible(String(text));
  if (node.textContent !== shown) node.textContent = shown;
}

/** The title that was set last. To ask the document costs more than most drawings. */
let title = '';

/** @param {string} text for the window or tab */
export function setTitle(text) {
  const shown = visible(text);
  if (title !== shown) document.title = shown;
  title = shown;
}

/**
 * Sets a custom property that the CSS uses. (The security policy forbids `style` attributes but allows this.)
 * @param {HTMLElement | SVGElement} node
 * @param {string} name
 * @param {string | number} value
 */
export function setProperty(node, name, value) {
  const text = String(value);
  if (node.style.getPropertyValue(name) !== text) node.style.setProperty(name, text);
}

/**
 * Shows or hides.
 * @param {HTMLElement} node
 * @param {boolean} shown
 */
export function show(node, shown) {
  if (node.hidden === shown) node.hidden = !shown;
}

/**
 * Gives `parent` one child per item. Nodes whose key stays are kept and updated.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => Element} create
 * @param {(node: any, item: T) => void} [update]
 */
export function keyed(parent, items, keyOf, create, update = () => {}) {
  const old = new Map(Array.from(parent.children, (node) => [node.dataset.key, node]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = old.get(key);
    old.delete(key);
    if (!node) {
      node = create(item);
      node.dataset.key = key;
    }
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of old.values()) node.remove();
}
