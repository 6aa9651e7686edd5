// Owns the feed: one row per event, oldest first, scrolled to the end unless the reader scrolls up.

import { element, setAttribute, setText, show } from '../dom.js';
import { count } from '../format.js';
import { icon } from '../icons.js';
import './addition.js';
import { divider, rowOf } from './rows.js';

/** Most rows in the DOM. The history keeps the rest. */
const MOST_ROWS = 500;
const OLDER_ROWS = 200;
/** A scroll position this close to the end counts as the end. */
const END_PX = 48;

class Feed extends HTMLElement {
  /** Numbers of the first and the next row, counted over all entries of the history. */
  #first = 0;
  #next = 0;
  #history = null;
  #unseen = 0;
  #atEnd = true;
  #scrolledTo = 0;

  connectedCallback() {
    this.total = element('span', { class: 'muted count' });
    this.keyOnly = element('button', { type: 'button', 'aria-pressed': 'false' }, 'Key moments');
    this.aloud = element(
      'button',
      { type: 'button', 'aria-pressed': 'false', title: 'Let screen readers read new entries' },
      'Read aloud',
    );
    this.older = element('button', { type: 'button', class: 'older', hidden: true });
    this.note = element('p', { class: 'muted empty', hidden: true });
    this.rows = element('div');
    this.list = element(
      'div',
      { id: 'feed', role: 'log', 'aria-live': 'off', 'aria-label': 'Activity', tabindex: '0' },
      this.note,
      this.older,
      this.rows,
    );
    this.addition = element('addition-form');
    this.news = element('button', { type: 'button', class: 'news', hidden: true });
    this.append(
      element(
        'header',
        {},
        element('h3', {}, 'Activity'),
        this.total,
        element('span', { class: 'grow' }),
        this.keyOnly,
        this.aloud,
        this.addition.button,
      ),
      element('div', { class: 'list' }, this.list, this.news),
      this.addition,
    );
    this.keyOnly.addEventListener('click', () => {
      setAttribute(this.list, 'data-key-only', toggle(this.keyOnly));
      this.#toEnd();
    });
    this.aloud.addEventListener('click', () =>
      setAttribute(this.list, 'aria-live', toggle(this.aloud) ? 'polite' : 'off'),
    );
    this.older.addEventListener('click', () => this.#showOlder());
    this.news.addEventListener('click', () => this.#toEnd());
    this.list.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    // Rows out of sight have estimated heights. When they are laid out, the end moves.
    const keep = new ResizeObserver(() => this.#atEnd && this.#toEnd());
    keep.observe(this.list);
    keep.observe(this.rows);
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { history, incident } = view;
    if (!history) return;
    this.view = view;
    const end = history.dropped + history.entries.length;
    const scrubbed = view.scrub?.count !== this.scrubbed;
    this.scrubbed = view.scrub?.count;
    // Rows that would be removed at once are not built: after a replay of thousands of events, or far back in the past.
    const far = end <= this.#first || end - this.#next > MOST_ROWS;
    if (this.#history?.whole !== history.whole || this.#next < history.dropped || (far && (scrubbed || this.#atEnd))) {
      this.#unseen = 0;
      this.#atEnd = true;
      this.#history = history;
      this.#restart(Math.max(history.dropped, end - MOST_ROWS));
    }
    this.#history = history;
    if (scrubbed) this.#cut(end);
    if (scrubbed && view.scrub) this.#atEnd = true;
    const before = this.#next;
    this.#append();
    const added = this.#next - before;
    setAttribute(this.list, 'data-hours', view.hours);
    setText(this.total, `${count(incident.index)} ${incident.index === 1 ? 'event' : 'events'}`);
    setText(this.note, view.loading ? 'Loading what happened before …' : history.missing && `Not loaded: ${history.missing}`);
    show(this.note, this.note.textContent !== '');
    if (scrubbed && this.#atEnd) this.#toEnd();
    if (added === 0) return;
    if (this.#atEnd) this.#toEnd();
    else this.#setUnseen(this.#unseen + added);
  }

  /** Removes the rows of what had not happened yet at the moment that is shown. */
  #cut(end) {
    for (; this.#next > end; this.#next -= 1) this.#removeLast();
  }

  #removeLast() {
    this.rows.lastElementChild?.remove();
    if (this.rows.lastElementChild?.matches('.divider')) this.rows.lastElementChild.remove();
  }

  #restart(first) {
    this.rows.replaceChildren();
    this.#first = first;
    this.#next = first;
    this.#refreshOlder();
  }

  #append() {
    const { entries, dropped } = this.#history;
    const rows = document.createDocumentFragment();
    for (; this.#next < dropped + entries.length; this.#next += 1) {
      const entry = entries[this.#next - dropped];
      const phaseBefore = this.#next > this.#first ? entries[this.#next - dropped - 1]?.phase : null;
      if (entry.phase && entry.phase !== phaseBefore)
        rows.append(divider(entry.phase, this.#startOf(entry), this.view.hours));
      rows.append(rowOf(entry, this.view));
    }
    this.rows.append(rows);
    // While the reader is further up, no rows are removed.
    if (this.#atEnd) this.#trim();
  }

  /** When a phase really began: as planned, unless an event of it came earlier. */
  #startOf({ phase, phase_s }) {
    const planned = this.view.incident.phases.findLast(({ name, start_s }) => name === phase && start_s <= phase_s);
    return planned?.start_s ?? phase_s;
  }

  #trim() {
    let surplus = this.#next - this.#first - MOST_ROWS;
    if (surplus <= 0) return;
    for (let node = this.rows.firstElementChild; node && surplus > 0; node = this.rows.firstElementChild) {
      if (!node.matches('.divider')) {
        surplus -= 1;
        this.#first += 1;
      }
      node.remove();
    }
    this.#refreshOlder();
  }

  #showOlder() {
    const { scrollHeight, scrollTop } = this.list;
    this.#restart(Math.max(this.#history.dropped, this.#first - OLDER_ROWS));
    this.#atEnd = false;
    this.#append();
    this.list.scrollTop = scrollTop + this.list.scrollHeight - scrollHeight;
  }

  #refreshOlder() {
    const hidden = this.#first - this.#history.dropped;
    show(this.older, hidden > 0);
    setText(this.older, `Show ${count(Math.min(hidden, OLDER_ROWS))} older of ${count(hidden)}`);
  }

  /** Only scrolling up leaves the end. New rows and changed heights do not. */
  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    if (scrollHeight - scrollTop - clientHeight < END_PX) this.#atEnd = true;
    else if (scrollTop < this.#scrolledTo) this.#atEnd = false;
    this.#scrolledTo = scrollTop;
    if (this.#atEnd) this.#setUnseen(0);
  }

  #toEnd() {
    this.#setUnseen(0);
    this.#atEnd = true;
    this.list.scrollTop = this.list.scrollHeight;
  }

  #setUnseen(unseen) {
    this.#unseen = unseen;
    show(this.news, unseen > 0);
    if (unseen > 0) this.news.replaceChildren(icon('down'), `${count(unseen)} new`);
  }
}

function toggle(button) {
  const pressed = button.getAttribute('aria-pressed') !== 'true';
  setAttribute(button, 'aria-pressed', String(pressed));
  return pressed;
}

customElements.define('feed-panel', Feed);
