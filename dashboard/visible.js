// Owns the gate for text from events: characters that turn the reading direction, or show nothing, are made visible. The twin
// of src/visible.rs.

/** Ranges of code points that steer or show nothing. Noncharacters are not listed. */
const HIDDEN = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfdd0, 0xfdef],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];

const point = (code) => `\\u{${code.toString(16)}}`;
const NONCHARACTERS = Array.from({ length: 17 }, (_, plane) => `${point(plane * 0x10000 + 0xfffe)}-${point(plane * 0x10000 + 0xffff)}`);
const CLASS = [...HIDDEN.map(([first, last]) => `${point(first)}-${point(last)}`), ...NONCHARACTERS].join('');
const FOUND = new RegExp(`[${CLASS}]`, 'gu');
/** Not ASCII, and not hidden. */
const JOINED = new RegExp(`^[^\\u{0}-\\u{7f}${CLASS}]$`, 'u');
const SHORT = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text in which everything hidden is written as `\u{202e}`. Joiners stay where they join.
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  return text.replace(FOUND, (found, place) => {
    if (found === '\u200c' || found === '\u200d') {
      const before = Array.from(text.slice(Math.max(0, place - 2), place)).at(-1) ?? '';
      const after = String.fromCodePoint(text.codePointAt(place + 1) ?? 0);
      if (JOINED.test(before) && JOINED.test(after)) return found;
    }
    return SHORT[found] ?? point(found.codePointAt(0));
  });
}
