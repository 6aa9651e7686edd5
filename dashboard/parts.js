// Owns the parts of the page that are loaded when a person wants them for the first time, so that the page is light for those who
// only look.

/** Every part with what it needs. The names of the files stand here as they are, for the test that weighs the page. */
const PARTS = {
  board: () => Promise.all([import('./panels/board.js'), style('board.css')]),
  compare: () => Promise.all([import('./panels/compare.js'), style('board.css'), style('compare.css')]),
  report: () => Promise.all([import('./panels/report.js'), style('dialogs.css')]),
  cancel: () => Promise.all([import('./panels/cancel.js'), style('dialogs.css')]),
  help: () => Promise.all([import('./panels/help.js'), style('dialogs.css')]),
  settings: () => Promise.all([import('./panels/settings.js')]),
  notices: () => Promise.all([import('./panels/notices.js')]),
};

/** @typedef {keyof typeof PARTS} Part */

const styles = new Map();
/** Parts that are there, or are being loaded. @type {Map<string, Promise<any>>} */
const loaded = new Map();

/**
 * Loads a part, once. A part that could not be loaded is asked for again.
 * @param {Part} name
 * @returns {Promise<any>} its module
 */
export function part(name) {
  if (!loaded.has(name)) {
    const loading = PARTS[name]().then(([module]) => module);
    loading.catch(() => loaded.delete(name));
    loaded.set(name, loading);
  }
  return loaded.get(name);
}

/** Loads every part. One that fails is asked for again when it is wanted. */
export function loadAll() {
  for (const name of /** @type {Part[]} */ (Object.keys(PARTS))) part(name).catch(() => {});
}

/**
 * Whether a mode of the page is a part.
 * @param {string} mode
 * @returns {mode is Part}
 */
export function isPart(mode) {
  return mode === 'board' || mode === 'compare';
}

/** Adds a style sheet before the ones that change it for phones and projectors, and waits for it. */
function style(name) {
  if (!styles.has(name)) {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = new URL(name, import.meta.url).href;
    styles.set(
      name,
      new Promise((done, fail) => {
        link.addEventListener('load', done);
        link.addEventListener('error', () => {
          styles.delete(name);
          link.remove();
          fail(new Error(`${name} could not be loaded.`));
        });
      }),
    );
    document.querySelector('#over-parts').before(link);
  }
  return styles.get(name);
}
