// Owns the slider of the track and the buttons beside it, with which an earlier moment is chosen.

import { element, setAttribute, setText, show } from '../dom.js';
import { count, short, stamp, words } from '../format.js';
import { icon, setIcon } from '../icons.js';
import './replay.js';

/** Positions of the slider over the whole axis. */
const STEPS = 2000;

const BUTTONS = [
  { event: 'scrub-mark', detail: -1, icon: 'previous', text: '', title: 'Back to the mark before ([)', class: 'mark' },
  { event: 'scrub-seconds', detail: -5, text: '−5 s', title: '5 seconds back (←)' },
  { event: 'scrub-seconds', detail: 5, text: '+5 s', title: '5 seconds on (→)' },
  { event: 'scrub-mark', detail: 1, icon: 'next', text: '', title: 'To the next mark (])', class: 'mark' },
];

class ScrubBar extends HTMLElement {
  connectedCallback() {
    this.range = element('input', { type: 'range', id: 'scrub', min: 0, max: STEPS, step: 1, 'aria-label': 'Moment of the incident' });
    this.range.addEventListener('input', () => {
      if (this.scale) this.#choose(Number(this.range.value) / STEPS);
    });
    // A mark is wide: pointing at it means its own moment.
    this.range.addEventListener('pointerup', (event) => {
      const mark = this.#markAt(event);
      if (mark && this.pressed !== undefined && Math.abs(event.clientX - this.pressed) < 3) send('scrub-to', mark.offset_s);
    });
    this.range.addEventListener('pointerdown', (event) => {
      this.pressed = event.clientX;
    });
    this.range.addEventListener('pointermove', (event) => {
      const mark = this.#markAt(event);
      setAttribute(this.range, 'title', mark?.text ?? null);
    });
    const buttons = BUTTONS.map(button);
    this.word = element('span');
    this.dot = element('span', { class: 'dot' }, ' · ');
    this.news = element('span', { class: 'news-count' });
    this.glyph = element('span');
    this.state = element('button', { type: 'button', id: 'scrub-state' }, this.glyph, element('span', { class: 'digits' }, this.word, this.dot, this.news));
    this.state.addEventListener('click', () => send('scrub-pause'));
    this.append(
      this.range,
      element('div', { class: 'scrub-buttons', role: 'group', 'aria-label': 'Moment' }, element('replay-controls'), ...buttons, this.state),
    );
  }

  /**
   * @param {import('../model.js').View} view
   * @param {import('../scale.js').Scale} scale
   */
  update(view) {
    const { newest, scrub, history } = view;
    const open = newest.state === 'open';
    setAttribute(this, 'data-scrubbed', scrub !== null);
    setIcon(this.glyph, scrub ? (scrub.playing ? 'play' : 'pause') : open ? 'detect' : 'check');
    setAttribute(this.state, 'title', scrub ? (open ? 'Back to live (Esc)' : 'To the end (Esc)') : 'Pause here (P)');
    this.#say(view);
    show(this, history !== null && history.whole.timeline.count > 0);
  }

  /**
   * @param {import('../model.js').View} view
   * @param {import('../scale.js').Scale} scale
   */
  tick(view, scale) {
    const { newest, incident, moment, scrub, hours } = view;
    this.scale = scale;
    // A page falls behind while nothing comes.
    this.#say(view);
    const value = String(Math.round(scale.at(moment.offset_s) * STEPS));
    if (this.range.value !== value) this.range.value = value;
    // What runs is not said each second.
    const where = scrub
      ? `${stamp(moment.offset_s, hours)}, ${words(incident.phase ?? incident.state)}, event ${count(incident.index)} of ${count(newest.index)}`
      : newest.state === 'open'
        ? 'live'
        : 'the end';
    setAttribute(this.range, 'aria-valuetext', where);
  }

  /** Says whether the moment that is shown is the present one. */
  #say({ newest, scrub, behind, frozen }) {
    const open = newest.state === 'open';
    // What is behind, or was shown before the connection broke, is not live.
    const present = open ? (frozen ? 'NOT LIVE' : behind ? 'BEHIND' : 'LIVE') : 'END';
    const fresh = scrub && !scrub.playing && open && scrub.fresh > 0 ? `${short(scrub.fresh)} new` : '';
    const word = scrub?.playing ? 'REPLAY' : scrub ? 'PAUSED' : present;
    setText(this.word, word);
    show(this.dot, fresh !== '');
    setText(this.news, fresh);
    const said = fresh ? `${word}, ${fresh}` : word;
    setAttribute(this.state, 'aria-label', scrub ? `${said}. Back to ${open ? 'live' : 'the end'}` : `${said}. Pause here`);
  }

  #choose(part) {
    send('scrub-to', this.scale.offset(part));
  }

  #markAt({ clientX }) {
    const { left, width } = this.range.getBoundingClientRect();
    // The handle's middle stays a half of its width inside the range.
    const half = HANDLE_PX / 2;
    return this.closest('phase-track').markAt((clientX - left - half) / (width - 2 * half));
  }
}

/** Width of the handle: as in `track.css`. */
const HANDLE_PX = 12;

function button({ event, detail, icon: name, text, title, class: kind }) {
  const node = element('button', { type: 'button', title, 'aria-label': title, class: kind }, name && icon(name), text);
  node.addEventListener('click', () => send(event, detail));
  return node;
}

function send(name, detail) {
  dispatchEvent(new CustomEvent(name, { detail }));
}

customElements.define('scrub-bar', ScrubBar);
