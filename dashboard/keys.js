// Owns the keys of the page: which key does what, and when a key belongs to a field instead.

/**
 * Every key, for the handler and for the help.
 * @type {{keys: string[], shown: string, does: string, name: string, detail?: number}[]}
 */
export const KEYS = [
  { keys: ['ArrowLeft'], shown: '←', does: 'five seconds back', name: 'scrub-seconds', detail: -5 },
  { keys: ['ArrowRight'], shown: '→', does: 'five seconds on', name: 'scrub-seconds', detail: 5 },
  { keys: [',', 'Shift+ArrowLeft'], shown: ',', does: 'one event back', name: 'scrub-event', detail: -1 },
  { keys: ['.', 'Shift+ArrowRight'], shown: '.', does: 'one event on', name: 'scrub-event', detail: 1 },
  { keys: ['['], shown: '[', does: 'to the mark before', name: 'scrub-mark', detail: -1 },
  { keys: [']'], shown: ']', does: 'to the next mark', name: 'scrub-mark', detail: 1 },
  { keys: ['p'], shown: 'P', does: 'pause, or go on', name: 'scrub-pause' },
  { keys: ['Escape'], shown: 'Esc', does: 'back to live', name: 'scrub-live' },
  { keys: ['c'], shown: 'C', does: 'copy the link to this moment', name: 'link-copy' },
];

/** What takes its own keys. */
const FIELDS = 'input:not([type=range]), textarea, select, [contenteditable], [role=tablist], [role=listbox], [role=menu]';
/** What takes arrow keys only. */
const ARROWS = '.charts, [role=log], [role=group][tabindex]';

/** Sends an event to the page for each key that means something there. */
export function listenToKeys() {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(FIELDS) || document.querySelector('dialog[open], :popover-open')) return;
    if (event.key.startsWith('Arrow') && target.closest(ARROWS)) return;
    const pressed = event.shiftKey && event.key.length > 1 ? `Shift+${event.key}` : event.key;
    const key = KEYS.find(({ keys }) => keys.includes(pressed.length === 1 ? pressed.toLowerCase() : pressed));
    if (!key) return;
    event.preventDefault();
    dispatchEvent(new CustomEvent(key.name, { detail: key.detail }));
  });
}
