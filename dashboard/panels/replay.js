// Owns the controls of a replay: play or stop, and the speed. They are always there: the slider beside them must not move while a
// person drags it.

import { element, setAttribute, setText, show } from '../dom.js';
import { setIcon } from '../icons.js';
import { bindKey } from '../keys.js';
import { SPEEDS } from '../replay.js';

class ReplayControls extends HTMLElement {
  connectedCallback() {
    this.glyph = element('span');
    this.word = element('span', { class: 'word' });
    this.button = element('button', { type: 'button', id: 'replay' }, this.glyph, this.word);
    this.button.addEventListener('click', () => this.toggle());
    this.speed = element('select', { id: 'replay-speed', 'aria-label': 'Speed of the replay' }, ...SPEEDS.map((speed) => element('option', { value: speed }, `${speed}×`)));
    this.speed.addEventListener('change', () => this.replay.setSpeed(Number(this.speed.value)));
    this.append(this.button, this.speed);
  }

  /** @param {import('../model.js').View} view */
  update({ scrub, history }, { replay }) {
    this.replay = replay;
    show(this, history !== null);
    setIcon(this.glyph, replay.playing ? 'pause' : 'play');
    setText(this.word, replay.playing ? 'Stop' : scrub ? 'Play' : 'Replay');
    const what = replay.playing ? 'Stop here (k)' : scrub ? 'Play from here (k)' : 'Replay from the start (k)';
    setAttribute(this.button, 'title', what);
    setAttribute(this.button, 'aria-label', what);
    if (this.speed.value !== String(replay.speed)) this.speed.value = String(replay.speed);
  }

  toggle() {
    if (!this.replay.stop()) this.replay.start();
  }
}

const controls = () => document.querySelector('replay-controls');
const isShown = () => controls()?.checkVisibility() === true || (controls()?.hidden === false && document.documentElement.dataset.view === 'incident');

bindKey('k', { group: 'This moment', what: 'Replay, or stop the replay', when: isShown, run: () => controls().toggle() });
bindKey('+', { group: 'This moment', what: 'Replay faster', when: isShown, run: () => controls().replay.change(1) });
bindKey('-', { group: 'This moment', what: 'Replay slower', when: isShown, run: () => controls().replay.change(-1) });

customElements.define('replay-controls', ReplayControls);
