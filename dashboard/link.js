// Owns the address of the page as a link to a moment: `?incident=ID&t=67`.

import { home, server } from './servers.js';

/** Browsers refuse to change the address too often, and a scrub changes the moment at each movement. */
const QUIET_MS = 300;

const COMPARE = 'compare';

/** @returns {{incident: string | null, t: number | null, compare: [string, string] | null}} what the address asks for */
export function readLink() {
  const wanted = new URLSearchParams(location.search);
  const [a, b] = wanted.getAll(COMPARE);
  const t = Number.parseFloat(wanted.get('t') ?? '');
  return {
    incident: wanted.get('incident') || null,
    t: Number.isFinite(t) ? t : null,
    compare: a && b ? [a, b] : null,
  };
}

/**
 * The link to an incident, or to one moment of it, on the server that the page is with.
 * @param {string | null} id
 * @param {number | null} offset_s
 */
export function linkTo(id, offset_s = null, at = server()) {
  const link = new URL(at);
  const kept = new URLSearchParams(location.search);
  for (const [name, value] of kept) if (name !== 'incident' && name !== 't') link.searchParams.append(name, value);
  if (id !== null) link.searchParams.set('incident', id);
  if (id !== null && offset_s !== null) link.searchParams.set('t', String(Math.round(offset_s * 1000) / 1000));
  return link.href;
}

let timer = 0;

/**
 * Makes the address the link to what is shown, so that it survives a reload.
 * @param {string | null} id
 * @param {number | null} offset_s
 */
export function showInAddress(id, offset_s = null) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    // A browser lets a page name only its own place.
    const link = linkTo(id, offset_s, home);
    if (link !== location.href) history.replaceState(null, '', link);
  }, QUIET_MS);
}

/**
 * Makes the address the link to the comparison of two runs: `?compare=A&compare=B`.
 * @param {[string, string] | null} ids
 */
export function showComparedInAddress(ids) {
  const link = new URL(location.href);
  link.searchParams.delete(COMPARE);
  for (const id of ids ?? []) link.searchParams.append(COMPARE, id);
  if (link.href !== location.href) history.replaceState(null, '', link.href);
}

/**
 * Copies a text, also on a page without encryption, where the clipboard's interface is missing.
 * @param {string} text
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'unseen';
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    return copied;
  }
}
