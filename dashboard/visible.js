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
  [0x2800, 0x2800],
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
const HIDES = new RegExp(`^[${CLASS}]$`, 'u');
/** Not ASCII, and not hidden. */
const SHOWS = new RegExp(`^[^\\u{0}-\\u{7f}${CLASS}]$`, 'u');
const JOINS = /^[\u{200c}\u{200d}]$/u;
/** Selectors of variants, as in emoji. */
const SELECTS = /^[\u{fe00}-\u{fe0f}\u{180b}-\u{180d}\u{180f}]$/u;
const KEY = /^[0-9#*]$/;
const KEYCAP = '\u{20e3}';
/** Marks above or below a letter: what takes no column. Joiners and selectors stand between them. */
const MARK = /^[\p{Mn}\p{Me}\u{1160}-\u{11ff}]$/u;
const isMark = (c) => MARK.test(c) && !HIDES.test(c);
/** With more on one letter they would cover the lines above and below. */
const MARKS = 6;
const PLAIN = /^[ -~]*$/;
const SHORT = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
/** What is escaped is ASCII afterwards. */
const ESCAPED = '}';

/** Whether a hidden character stays between these two: a joiner where it joins, a selector where it selects. */
function stays(before, c, after) {
  if (JOINS.test(c)) return (SHOWS.test(before) || SELECTS.test(before)) && SHOWS.test(after);
  return SELECTS.test(c) && (SHOWS.test(before) || (KEY.test(before) && after === KEYCAP));
}

/**
 * A text in which everything hidden is written as `\u{202e}`. Joiners stay where they join, selectors where they select.
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  if (PLAIN.test(text)) return text;
  let before = '';
  let marks = 0;
  const characters = Array.from(text);
  return characters.map((c, place) => {
    const next = characters[place + 1] ?? '';
    const after = marks >= MARKS && isMark(next) ? ESCAPED : next;
    const steers = HIDES.test(c) && !stays(before, c, after);
    // What is hidden, as a joiner or a selector, begins no new letter.
    if (isMark(c)) marks += 1;
    else if (!HIDES.test(c)) marks = 0;
    const isEscaped = steers || marks > MARKS;
    before = isEscaped ? ESCAPED : c;
    return isEscaped ? (SHORT[c] ?? point(c.codePointAt(0))) : c;
  }).join('');
}
