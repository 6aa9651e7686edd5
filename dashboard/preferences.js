// Owns what this browser remembers of a person's choices: small values, each under a name of its own.

/** Switches, and whether they are on until somebody says otherwise. */
const SWITCHES = { keys: true, moments: true, notifications: false, sound: false };

/**
 * @param {string} name
 * @returns {any} `null` if nothing is remembered
 */
export function remembered(name) {
  try {
    return JSON.parse(localStorage.getItem(name) ?? 'null');
  } catch {
    // Storage is not allowed, or somebody wrote something else there.
    return null;
  }
}

/**
 * @param {string} name
 * @param {any} value `null` forgets it
 */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Storage is full or not allowed, so the choice lasts as long as the page.
  }
}

/** Switches of this visit, where nothing can be stored. */
const now = new Map();

/** @param {keyof typeof SWITCHES} name */
export function isOn(name) {
  const known = now.get(name) ?? remembered(name);
  return typeof known === 'boolean' ? known : SWITCHES[name];
}

/**
 * @param {keyof typeof SWITCHES} name
 * @param {boolean} on
 */
export function setOn(name, on) {
  now.set(name, on);
  remember(name, on === SWITCHES[name] ? null : on);
}

/** Whether the browser has notifications, and has not refused them to this page. */
export function mayNotify() {
  return 'Notification' in window && Notification.permission !== 'denied';
}

/** Whether notifications are switched on and allowed. */
export function isNotifying() {
  return isOn('notifications') && mayNotify() && Notification.permission === 'granted';
}
