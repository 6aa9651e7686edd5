// Owns notifications and sounds, which a person has switched on: the permission, the tones, and when the page looks for news.

import { visible } from '../visible.js';
import { lookAt, noticeOf } from '../notices.js';
import { isNotifying, isOn, mayNotify, setOn } from '../preferences.js';

/** Also in the background, where no frames are drawn. */
const LOOK_MS = 1000;

/** Frequencies in hertz, one after the other, and the length of each in seconds. */
const TONES = {
  started: { notes: [523, 784], each_s: 0.16 },
  overrun: { notes: [392, 392, 330], each_s: 0.2 },
  ended: { notes: [784, 659, 523], each_s: 0.14 },
};

let audio = null;
let seen = null;
let timer = 0;
let model = null;

/**
 * Begins to look for news, if a switch is on.
 * @param {import('../model.js').Model} of
 */
export function watchForNews(of) {
  if (model) return;
  model = of;
  schedule();
  // A browser lets a page sound only after the person has done something with it.
  for (const act of ['pointerdown', 'keydown']) addEventListener(act, () => isOn('sound') && audio?.resume(), { passive: true });
}

/** Asks for the permission at the first time. */
export async function switchNotifications() {
  if (isNotifying()) setOn('notifications', false);
  else {
    const permission = mayNotify() ? await Notification.requestPermission() : 'denied';
    // The first one shows how they look, and whether there are any.
    const shown = permission === 'granted' && send('Notifications are on', 'They tell of starts, missed targets and ends of incidents.', 'incident');
    setOn('notifications', Boolean(shown));
    if (permission === 'granted' && !shown) document.querySelector('trigger-menu').tell('This browser shows no notifications of a page.');
  }
  schedule();
}

export function switchSound() {
  setOn('sound', !isOn('sound'));
  schedule();
  if (isOn('sound')) play('started');
}

function schedule() {
  clearInterval(timer);
  seen = null;
  if (!isNotifying() && !isOn('sound')) return;
  timer = setInterval(look, LOOK_MS);
  look();
}

function look() {
  const { mode, frozen, behind, tabs } = model.view();
  // What is read again after a start or a lost connection is no news of now; what ended meanwhile is.
  if (mode === 'connecting' || frozen || behind) return;
  const looked = lookAt(seen, tabs, (incident) => model.momentOf(incident), model.lookedUp);
  seen = looked.seen;
  // Many at once are one sound, of the worst of them.
  const kind = ['overrun', 'started', 'ended'].find((one) => looked.news.some((news) => news.kind === one));
  if (kind && isOn('sound')) play(kind);
  for (const news of looked.news) {
    if (isNotifying()) notify(news);
  }
}

function notify(news) {
  const { title, body } = noticeOf(news);
  // A later notice of an incident takes the place of the earlier one.
  const notice = send(visible(title), visible(body), news.incident.id);
  if (!notice) return setOn('notifications', false);
  notice.onclick = () => {
    window.focus();
    dispatchEvent(new CustomEvent('incident-select', { detail: news.incident.id }));
    notice.close();
  };
}

/** @returns {Notification | null} `null` if the browser has them for service workers only, as on Android */
function send(title, body, tag) {
  try {
    return new Notification(title, { body, tag, silent: true });
  } catch {
    return null;
  }
}

function play(kind) {
  audio ??= new AudioContext();
  audio.resume();
  const { notes, each_s } = TONES[kind];
  notes.forEach((frequency, place) => {
    const from = audio.currentTime + place * each_s;
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    tone.frequency.value = frequency;
    // It swells and fades, because a tone that begins at once clicks.
    loudness.gain.setValueAtTime(0, from);
    loudness.gain.linearRampToValueAtTime(0.12, from + 0.02);
    loudness.gain.linearRampToValueAtTime(0, from + each_s);
    tone.connect(loudness).connect(audio.destination);
    tone.start(from);
    tone.stop(from + each_s);
  });
}
