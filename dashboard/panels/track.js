// Owns the track: the phases to scale, the events, the target, and the moment that is shown. Without phases it is a time axis
// with events. It always shows the whole incident, because it is also where an earlier moment is chosen.

import { element, keyed, setAttribute, setProperty, setText, show, svg } from '../dom.js';
import { clock, stamp, words } from '../format.js';
import { icon, phaseIcon } from '../icons.js';
import { place, scaleOf, ticksOf } from '../scale.js';
import { rangeOn } from '../zoom.js';
import { dotOf, isKey } from './rows.js';
import './scrubber.js';

/** Marks closer than this are drawn as one. */
const MARK_PX = 5;
/** A label that has less room than this to its right hangs to the left of its line. */
const LABEL_PX = 96;

class PhaseTrack extends HTMLElement {
  /** Places for marks along the axis. */
  columns = 200;
  #history = null;
  /** Number of the next entry without a dot, counted over all entries of the history. */
  #next = 0;
  /** What is drawn in each column of the axis. */
  #columns = new Map();

  connectedCallback() {
    this.segments = element('ol', { class: 'segments' });
    this.ticks = element('ol', { class: 'ticks', 'aria-hidden': 'true' });
    this.dots = svg('svg', { class: 'dots', 'aria-hidden': 'true' });
    this.flag = element('span', { class: 'flag digits' });
    this.target = element('span', { class: 'target' }, this.flag);
    this.cursor = element('span', { class: 'cursor' });
    this.veil = element('span', { class: 'veil', hidden: true });
    this.zoomed = element('span', { class: 'zoomed', hidden: true });
    this.scrubber = element('scrub-bar');
    this.append(
      element('div', { class: 'rail' }, this.segments, this.ticks, this.dots, this.veil, this.target, this.zoomed, this.cursor),
      this.scrubber,
    );
    new ResizeObserver(() => {
      // Measured here and not in each drawing, which would make the browser lay out the page twice.
      this.columns = Math.max(1, Math.floor(this.dots.clientWidth / MARK_PX));
      if (this.view) this.update(this.view);
    }).observe(this.dots);
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { newest, incident, history, present, hours } = view;
    this.view = view;
    const scale = scaleOf(newest, present.offset_s);
    setAttribute(this.segments, 'aria-label', newest.phases.length > 0 ? 'Phases' : 'Time');
    keyed(
      this.segments,
      segmentsOf(newest, incident, scale),
      (segment) => segment.key,
      create,
      (node, segment) => refresh(node, segment, hours),
    );
    const range = rangeOn(scale);
    show(this.zoomed, range !== null);
    setProperty(this.zoomed, '--a', place(range?.[0] ?? 0));
    setProperty(this.zoomed, '--b', place(range?.[1] ?? 1));
    this.#scaled(newest, scale, hours);
    this.#plot(newest, history?.whole, scale, hours);
    this.scrubber.update(view, scale);
  }

  /** @param {import('../model.js').View} view */
  tick(view) {
    const { newest, moment, present, scrub } = view;
    this.view = view;
    const scale = scaleOf(newest, present.offset_s);
    // An open axis also grows between two messages.
    if (scale.total !== this.total) this.update(view);
    const now = scale.map.screenOf(moment.offset_s);
    setProperty(this.cursor, '--x', place(scale.at(moment.offset_s)));
    show(this.cursor, newest.state === 'open' || scrub !== null);
    show(this.veil, scrub !== null);
    setProperty(this.veil, '--x', place(scale.at(moment.offset_s)));
    let from = 0;
    for (const node of this.segments.children) {
      const length = Number(node.dataset.play);
      const part = length > 0 ? Math.min(1, Math.max(0, (now - from) / length)) : 1;
      setProperty(node, '--fill', part.toFixed(4));
      from += length;
    }
    this.scrubber.tick(view, scale);
  }

  /**
   * Goes to the mark before or after the moment that is shown: the start of a phase, or a key moment.
   * @param {1 | -1} by
   * @param {import('../model.js').View} view as it is now: a key may come before the last one was drawn
   */
  toMark(by, { newest, history, present, moment }) {
    if (!newest) return;
    const keys = (history?.whole.entries ?? []).filter(isKey).map(({ offset_s }) => offset_s);
    const marks = [...newest.phases.map(({ start_s }) => start_s), ...keys].filter((second) => second <= present.offset_s);
    const beyond = marks.filter((second) => (second - moment.offset_s) * by > 1e-3);
    if (beyond.length > 0) scrubTo(by > 0 ? Math.min(...beyond) : Math.max(...beyond));
    else if (by > 0) dispatchEvent(new CustomEvent('scrub-live'));
  }

  #scaled({ phases, target_s }, scale, hours) {
    this.total = scale.total;
    const room = 1 - LABEL_PX / (this.columns * MARK_PX);
    const ticks = phases.length > 0 ? [] : ticksOf(scale);
    show(this.ticks, ticks.length > 0);
    keyed(
      this.ticks,
      ticks,
      (tick) => String(tick),
      () => element('li', { class: 'digits' }),
      (node, tick) => {
        const at = scale.at(tick);
        setText(node, clock(tick, hours));
        setProperty(node, '--x', place(at));
        setAttribute(node, 'data-left', at > room);
      },
    );
    show(this.target, target_s !== null);
    if (target_s === null) return;
    const at = scale.at(target_s);
    setText(this.flag, `target ${clock(target_s, hours)}`);
    setProperty(this.target, '--x', place(at));
    setAttribute(this.target, 'data-left', at > room);
  }

  /** However many events there are, there is one mark per few pixels. */
  #plot({ id }, history, scale, hours) {
    const { columns } = this;
    // The axis rarely changes and entries are only added, so most marks stay where they are.
    const key = `${id} ${scale.total} ${columns}`;
    if (this.drawn !== key || this.#history !== history) {
      this.drawn = key;
      this.#history = history;
      this.#next = 0;
      this.#columns.clear();
      this.dots.replaceChildren();
    }
    const { entries, dropped } = history ?? { entries: [], dropped: 0 };
    this.#next = Math.max(this.#next, dropped);
    for (; this.#next < dropped + entries.length; this.#next += 1) {
      const entry = entries[this.#next - dropped];
      const dot = dotOf(entry, hours);
      if (dot) this.#mark(Math.round(scale.at(entry.offset_s) * columns), columns, entry, dot);
    }
  }

  #mark(column, columns, { phase, offset_s }, { shape, text, weight }) {
    const old = this.#columns.get(column);
    const count = (old?.count ?? 0) + 1;
    if (old && old.weight >= weight) {
      old.count = count;
      return;
    }
    old?.node.remove();
    const x = place(column / columns);
    const node = svg('svg', { x, y: '50%', overflow: 'visible', 'data-dot': phase }, shape());
    this.dots.append(node);
    this.#columns.set(column, { node, weight, count, text: text(), offset_s });
  }

  /**
   * What stands at a place of the axis.
   * @param {number} part 0 to 1
   * @returns {{offset_s: number, text: string} | null}
   */
  markAt(part) {
    const { columns } = this;
    const column = Math.round(part * columns);
    const mark = [column, column - 1, column + 1].map((near) => this.#columns.get(near)).find(Boolean);
    if (!mark) return null;
    const more = mark.count > 1 ? ` (and ${mark.count - 1} more)` : '';
    return { offset_s: mark.offset_s, text: mark.text + more };
  }
}

/** @param {number} second of the incident */
function scrubTo(second) {
  dispatchEvent(new CustomEvent('scrub-to', { detail: second }));
}

/** What the rail consists of, and what of it is done at the moment that is shown. `play_s` is the screen time of a segment. */
function segmentsOf(newest, shown, scale) {
  const { phases } = newest;
  const { phase: now, state } = shown;
  const open = state === 'open';
  if (phases.length === 0) return [{ key: 'time', name: '', play_s: scale.total, done: !open, current: open }];
  const current = phases.findIndex((phase) => phase.name === now);
  const starts = phases.map((_, place) => scale.map.startOf(place));
  const segments = phases.map((phase, place) => ({
    key: `${place}/${phase.name}`,
    name: phase.name,
    start_s: phase.start_s,
    end_s: phase.end_s ?? phases[place + 1]?.start_s ?? null,
    play_s: (starts[place + 1] ?? scale.planned ?? scale.total) - starts[place],
    done: state === 'resolved' || place < current,
    current: open && place === current,
  }));
  if (scale.planned !== null && scale.total > scale.planned) {
    const start_s = scale.map.end_s;
    const play_s = scale.total - scale.planned;
    segments.push({ key: 'overrun', name: 'overrun', start_s, end_s: null, play_s, done: false, current: shown === newest });
  }
  return segments;
}

function create({ name }) {
  return element(
    'li',
    { class: 'segment' },
    element('span', { class: 'bar' }),
    name !== '' &&
      element(
        'span',
        { class: 'caption' },
        icon(name === 'overrun' ? 'alert' : phaseIcon(name)),
        element('span', { class: 'word' }, words(name)),
        element('span', { class: 'start digits' }),
      ),
  );
}

function refresh(node, segment, hours) {
  const { name, start_s, play_s, done, current } = segment;
  setAttribute(node, 'data-phase', name);
  setAttribute(node, 'data-done', done);
  setAttribute(node, 'data-current', current);
  setAttribute(node, 'aria-current', current && name !== '' ? 'step' : null);
  setAttribute(node, 'data-play', play_s);
  setProperty(node, '--play', play_s);
  if (name === '') return;
  setAttribute(node, 'title', titleOf(segment, hours));
  setText(node.querySelector('.start'), clock(start_s, hours));
}

function titleOf({ name, start_s, end_s }, hours) {
  if (name === 'overrun') return `Longer than planned, since ${stamp(start_s, hours)}`;
  return end_s === null
    ? `${words(name)}: from ${stamp(start_s, hours)}`
    : `${words(name)}: ${stamp(start_s, hours)} to ${stamp(end_s, hours)}`;
}

customElements.define('phase-track', PhaseTrack);
