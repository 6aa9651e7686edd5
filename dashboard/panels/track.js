// Owns the phase track: the phases to scale, what happened when, the target, and where the incident is.

import { screenOf } from '../clock.js';
import { element, keyed, setAttribute, setProperty, setText, show, svg } from '../dom.js';
import { clock, stamp, words } from '../format.js';
import { icon, phaseIcon } from '../icons.js';
import { place, scaleOf } from '../scale.js';

/** Near the right edge the target's flag hangs to the left. */
const FLAG_ROOM = 0.9;

class PhaseTrack extends HTMLElement {
  connectedCallback() {
    this.segments = element('ol', { class: 'segments', 'aria-label': 'Phases' });
    this.dots = svg('svg', { class: 'dots', 'aria-hidden': 'true' });
    this.flag = element('span', { class: 'flag digits' });
    this.target = element('span', { class: 'target' }, this.flag);
    this.cursor = element('span', { class: 'cursor' });
    this.append(element('div', { class: 'rail' }, this.segments, this.dots, this.target, this.cursor));
  }

  /** @param {import('../model.js').View} view */
  update({ incident, history, moment, hours }) {
    const scale = scaleOf(incident, moment.offset_s);
    const current = incident.phases.findIndex((phase) => phase.name === incident.phase);
    const segments = incident.phases.map((phase, i) => ({
      ...phase,
      key: `${i}/${phase.name}`,
      ...standing(incident, current, i),
    }));
    if (scale.total > scale.planned) segments.push(overrun(incident, scale));
    keyed(
      this.segments,
      segments,
      (segment) => segment.key,
      create,
      (node, segment) => refresh(node, segment, hours),
    );
    this.#mark(incident, scale, hours);
    this.#plot(incident, history, scale, hours);
  }

  /** @param {import('../model.js').View} view */
  tick({ incident, moment }) {
    const scale = scaleOf(incident, moment.offset_s);
    setProperty(this.cursor, '--x', place(scale.at(moment.offset_s)));
    show(this.cursor, incident.state === 'open');
    const now = screenOf(incident.phases, moment.offset_s);
    let from = 0;
    for (const node of this.segments.children) {
      const length = Number(node.dataset.play);
      const part = length > 0 ? Math.min(1, Math.max(0, (now - from) / length)) : 1;
      setProperty(node, '--fill', part.toFixed(4));
      from += length;
    }
  }

  #mark({ target_s }, scale, hours) {
    show(this.target, target_s !== null);
    if (target_s === null) return;
    const at = scale.at(target_s);
    setText(this.flag, `target ${clock(target_s, hours)}`);
    setProperty(this.target, '--x', place(at));
    setAttribute(this.target, 'data-left', at > FLAG_ROOM);
  }

  #plot({ id }, history, scale, hours) {
    // The axis changes rarely, entries only come on: what is drawn stays.
    const key = `${id} ${scale.total}`;
    const entries = (history?.entries ?? []).filter((entry) => entry.type === 'agent_action');
    if (this.drawn !== key || this.plotted > entries.length) this.dots.replaceChildren();
    this.drawn = key;
    for (const entry of entries.slice(this.dots.children.length)) this.dots.append(dot(entry, scale, hours));
    this.plotted = entries.length;
  }
}

function standing(incident, current, i) {
  const over = incident.state === 'resolved';
  return { done: over || i < current, current: incident.state === 'open' && i === current };
}

function overrun(incident, scale) {
  const end_s = incident.phases.at(-1)?.end_s ?? 0;
  return {
    key: 'overrun',
    name: 'overrun',
    start_s: end_s,
    play_s: scale.total - scale.planned,
    done: false,
    current: true,
  };
}

function create({ name }) {
  return element(
    'li',
    { class: 'segment' },
    element('span', { class: 'bar' }),
    element(
      'span',
      { class: 'caption' },
      icon(name === 'overrun' ? 'alert' : phaseIcon(name)),
      element('span', { class: 'word' }, words(name)),
      element('span', { class: 'start digits' }),
    ),
  );
}

function refresh(node, { name, start_s, end_s, play_s, done, current }, hours) {
  setAttribute(node, 'data-phase', name);
  setAttribute(node, 'data-done', done);
  setAttribute(node, 'data-current', current);
  setAttribute(node, 'aria-current', current ? 'step' : null);
  setAttribute(node, 'data-play', play_s);
  setAttribute(
    node,
    'title',
    end_s === undefined
      ? `Over the plan since ${stamp(start_s, hours)}`
      : `${words(name)}: ${stamp(start_s, hours)} to ${stamp(end_s, hours)}`,
  );
  setProperty(node, '--play', play_s);
  setText(node.querySelector('.start'), clock(start_s, hours));
}

/** Circles for what completed, rings for what began, triangles for what failed: shape tells as colour does. */
function dot({ data, phase }, scale, hours) {
  const shape =
    data.status === 'failed'
      ? svg('path', { d: 'M0-6 6 5H-6Z', class: 'failed' })
      : svg('circle', { r: data.marks.length ? 5 : 4, class: data.status === 'in_progress' ? 'began' : 'completed' });
  const title = svg('title', {}, `${stamp(data.offset_s, hours)} ${words(data.agent)}: ${data.summary}`);
  return svg(
    'svg',
    { x: place(scale.at(data.offset_s)), y: '50%', overflow: 'visible', 'data-dot': phase },
    shape,
    title,
  );
}

customElements.define('phase-track', PhaseTrack);
