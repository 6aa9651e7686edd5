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
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfdd0, 0xfdef],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x13430, 0x1343f],
  [0x1bca0, 0x1bca3],
  [0x1d159, 0x1d159],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
];

const point = (code) => `\\u{${code.toString(16)}}`;
const NONCHARACTERS = Array.from({ length: 17 }, (_, plane) => `${point(plane * 0x10000 + 0xfffe)}-${point(plane * 0x10000 + 0xffff)}`);
const CLASS = [...HIDDEN.map(([first, last]) => `${point(first)}-${point(last)}`), ...NONCHARACTERS].join('');
const FOUND = new RegExp(`[${CLASS}]`, 'gu');
/** Not ASCII, and not hidden. */
const SHOWS = new RegExp(`^[^\\u{0}-\\u{7f}${CLASS}]$`, 'u');
/** Selectors of variants, as in emoji. */
const SELECTS = /^[\u{fe00}-\u{fe0f}\u{180b}-\u{180d}\u{180f}]$/u;
const KEY = /^[0-9#*]$/;
const KEYCAP = '\u{20e3}';
/** Marks above or below a letter: what takes no column. Joiners and selectors stand between them. */
const MARK = /[\p{Mn}\p{Me}\u{1160}-\u{11ff}]/u;
const STACKED = /(?:[\p{Mn}\p{Me}\u{1160}-\u{11ff}][\u{200c}\u{200d}\u{fe00}-\u{fe0f}\u{180b}-\u{180d}\u{180f}]*){7,}/gu;
/** With more on one letter they would cover the lines above and below. */
const MARKS = 6;
const SHORT = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text in which everything hidden is written as `\u{202e}`. Joiners stay where they join, selectors where they select.
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  const shown = text.replace(FOUND, (found, place) => {
    const joins = found === '\u200c' || found === '\u200d';
    const selects = SELECTS.test(found);
    if (joins || selects) {
      const before = Array.from(text.slice(Math.max(0, place - 2), place)).at(-1) ?? '';
      const after = String.fromCodePoint(text.codePointAt(place + 1) ?? 0);
      const joined = (c) => SHOWS.test(c) || SELECTS.test(c);
      if (joins && joined(before) && SHOWS.test(after)) return found;
      if (selects && (SHOWS.test(before) || (KEY.test(before) && after === KEYCAP))) return found;
    }
    return SHORT[found] ?? point(found.codePointAt(0));
  });
  return shown.replace(STACKED, (found) => {
    let marks = 0;
    return Array.from(found, (c) => {
      // A selector is a mark to Unicode.
      if (MARK.test(c) && !SELECTS.test(c)) marks += 1;
      return marks > MARKS ? point(c.codePointAt(0)) : c;
    }).join('');
  });
}
