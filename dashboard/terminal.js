// Owns how a command of the terminal names the server of this page.

import { socketUrl } from './api.js';

/** The command needs no URL for the default server. */
const USUAL = ['ws://127.0.0.1:7911/ws', 'ws://localhost:7911/ws'];

/**
 * The flags with which a command reaches this server: empty, or with a space before each.
 * @param {import('./api.js').Session | null | undefined} session
 */
export function serverFlags(session) {
  const url = socketUrl();
  const token = session?.authenticated ? ' --token-file FILE' : '';
  return `${USUAL.includes(url) ? '' : ` --url ${quoted(url)}`}${token}`;
}

/** A word as a shell reads it. @param {string} word */
export function quoted(word) {
  return /^[\w.,:=@%+/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
