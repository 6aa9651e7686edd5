// Owns the icons. They are drawn, because the glyphs of system fonts differ, and always stand next to a word.

import { svg } from './dom.js';

/** 16 × 16, strokes of 1.75. `fill:` marks a path that is filled. */
const PATHS = {
  detect: ['M8 1.9a6.1 6.1 0 1 0 0 12.2A6.1 6.1 0 0 0 8 1.9Z', 'fill:M8 5.4a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2Z'],
  diagnose: ['M6.8 2.2a4.6 4.6 0 1 0 0 9.2 4.6 4.6 0 0 0 0-9.2Z', 'M10.2 10.2 14 14'],
  predict: ['M3 13 13 3', 'M6.2 3H13v6.8'],
  check: ['M2.5 8.6 6.2 12.3 13.5 4'],
  alert: ['fill:M8 1.6 15 14H1L8 1.6Zm-.9 4.6v4h1.8v-4H7.1Zm0 5v1.6h1.8v-1.6H7.1Z'],
  other: ['M3 8h10'],
  idle: ['M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z'],
  working: ['M8 2.5a5.5 5.5 0 1 1-5.5 5.5', 'fill:M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z'],
  bolt: ['fill:M9.3 1 3 9.2h4L6.2 15 13 6.6H8.7L9.3 1Z'],
  reconnect: ['M13.2 6.2A5.6 5.6 0 0 0 3 5.4', 'M2.8 9.8A5.6 5.6 0 0 0 13 10.6', 'M3 2.2v3.4h3.4', 'M13 13.8v-3.4H9.6'],
  theme: ['M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2Z', 'fill:M8 2.2v11.6A5.8 5.8 0 0 0 8 2.2Z'],
  copy: ['M5.5 5.5h8v8h-8z', 'M10.5 5.5v-3h-8v8h3'],
  link: ['M6.6 9.4 9.4 6.6', 'M7.4 4.6 9 3a2.8 2.8 0 0 1 4 4l-1.6 1.6', 'M8.6 11.4 7 13a2.8 2.8 0 0 1-4-4l1.6-1.6'],
  pause: ['M5.5 3v10', 'M10.5 3v10'],
  previous: ['M12 3 6 8l6 5', 'M3.5 3v10'],
  next: ['M4 3l6 5-6 5', 'M12.5 3v10'],
  close: ['M3.5 3.5l9 9', 'M12.5 3.5l-9 9'],
  logout: ['M6.5 2.5h-4v11h4', 'M6.5 8H14', 'M10.8 4.8 14 8l-3.2 3.2'],
  down: ['M8 2.5v11', 'M3.5 9 8 13.5 12.5 9'],
  up: ['M8 13.5v-11', 'M3.5 7 8 2.5 12.5 7'],
  plus: ['M8 3v10', 'M3 8h10'],
  note: ['M3 13l.7-3L10.6 3.1a1.6 1.6 0 0 1 2.3 2.3L6 12.3 3 13Z'],
  bell: ['M3.2 11.5h9.6c-1-.9-1.3-1.8-1.3-4.3a3.5 3.5 0 0 0-7 0c0 2.5-.3 3.4-1.3 4.3Z', 'M6.7 13.8h2.6'],
  settings: ['M2.5 4.5h6M12 4.5h1.5M2.5 11.5H4M7.5 11.5h6', 'M10.2 2.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z', 'M5.7 9.7a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6Z'],
  left: ['M13.5 8h-11', 'M7 3.5 2.5 8 7 12.5'],
  more: ['fill:M3.2 6.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8Z', 'fill:M8 6.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8Z', 'fill:M12.8 6.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8Z'],
  report: ['M4 1.8h5.5L12.5 5v9.2H4Z', 'M6.3 7.5h4M6.3 10.5h4'],
  download: ['M8 2v8.5', 'M4.2 7 8 10.8 11.8 7', 'M2.5 13.8h11'],
  keys: ['M1.8 4h12.4v8.4H1.8Z', 'M4.2 6.8h.01M6.7 6.8h.01M9.2 6.8h.01M11.7 6.8h.01M5 9.8h6'],
  list: ['M2.2 4h.01M2.2 8h.01M2.2 12h.01', 'M5.5 4h8.5M5.5 8h8.5M5.5 12h8.5'],
  play: ['fill:M4.5 2.5v11l9-5.5-9-5.5Z'],
  pause: ['fill:M4 2.5h2.8v11H4Z', 'fill:M9.2 2.5H12v11H9.2Z'],
  compare: ['M2.5 4.5h8M2.5 11.5h11', 'M8 2.2v11.6'],
  screen: ['M1.8 2.8h12.4v8.4H1.8Z', 'M5.5 14h5M8 11.2V14'],
  sound: ['M2.5 6v4h2.6L8.5 13V3L5.1 6Z', 'M11 5.5a3.6 3.6 0 0 1 0 5'],
  pin: ['M5.2 2h5.6l-.7 5 2.2 2.2H3.7L5.9 7Z', 'M8 9.2V14'],
  person: ['M8 7.2a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2Z', 'M2.8 14a5.2 5.2 0 0 1 10.4 0'],
};

const OF_PHASE = {
  detect: 'detect',
  diagnose: 'diagnose',
  predict: 'predict',
  resolve: 'check',
  verify: 'check',
  done: 'check',
};

/**
 * @param {string} name
 * @returns {SVGElement}
 */
export function icon(name) {
  const paths = (PATHS[name] ?? PATHS.other).map((path) =>
    path.startsWith('fill:') ? svg('path', { d: path.slice(5), class: 'solid' }) : svg('path', { d: path }),
  );
  return svg('svg', { class: 'icon', viewBox: '0 0 16 16', 'aria-hidden': 'true', 'data-icon': name }, ...paths);
}

/**
 * The name of a phase's icon. Phases can have any name; unknown ones get a neutral icon.
 * @param {string | null} phase
 */
export function phaseIcon(phase) {
  return Object.hasOwn(OF_PHASE, phase ?? '') ? OF_PHASE[phase] : 'other';
}

/**
 * Puts the icon into `host` in place of another one.
 * @param {Element} host
 * @param {string} name
 */
export function setIcon(host, name) {
  const old = host.firstElementChild;
  if (old?.getAttribute('data-icon') === name) return;
  old?.remove();
  host.prepend(icon(name));
}
