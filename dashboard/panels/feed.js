// Owns the feed: one row per event, oldest first, scrolled to the end unless the reader scrolls up.

import { element, setAttribute, setText, show } from '../dom.js';
import { count } from '../format.js';
import { icon } from '../icons.js';
import './addition.js';
import { divider, rowOf } from './rows.js';

/** Most rows in the DOM. The history keeps the rest. */
const MOST_ROWS = 500;
/** So many are added at once to what a reader looks at further up. */
const MORE_ROWS = 200;
/** A page that is catching up shows only what fits on a screen: the rows change many times a second. */
const ROWS_BEHIND = 40;
/** A scroll position this close to the end counts as the end. */
const END_PX = 48;
/**
 * A row that has just come is coloured, less in each step. An animation would have the browser draw sixty times a second as long as
 * rows come, which cost half of all that the page did.
 */
const FRESH_STEPS = 3;
const FRESH_MS = 400;
/** Retention may have dropped the first events of an incident, and its seconds with them. */
const GONE = 'The beginning of this incident is missing: the server no longer keeps it.';
/** Of more rows at once, none stands out. */
const MOST_FRESH = 20;

class Feed extends HTMLElement {
  /** Numbers of the first and the next row, counted over all entries of the history. */
  #first = 0;
  #next = 0;
  #history = null;
  #unseen = 0;
  #atEnd = true;
  #scrolledTo = 0;
  /** Rows that are still coloured. */
  #fresh = [];

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
    // Beside the list, so that who reads its end sees it too.
    this.gone = element('p', { class: 'muted empty gone', hidden: true }, GONE);
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
      this.gone,
      element('div', { class: 'list' }, this.list, this.news),
      this.addition,
    );
    this.keyOnly.addEventListener('click', () => {
      setAttribute(this.list, 'data-key-only', toggle(this.keyOnly));
      this.#follow();
    });
    this.aloud.addEventListener('click', () =>
      setAttribute(this.list, 'aria-live', toggle(this.aloud) ? 'polite' : 'off'),
    );
    this.older.addEventListener('click', () => this.#showOlder());
    this.news.addEventListener('click', () => this.#follow());
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
    const most = view.behind ? ROWS_BEHIND : MOST_ROWS;
    const scrubbed = view.scrub?.count !== this.scrubbed;
    this.scrubbed = view.scrub?.count;
    if (scrubbed || this.#history?.whole !== history.whole) this.#atEnd = true;
    // Rows that would be removed at once are not built: after a replay of thousands of events, or far back in the past.
    const far = end <= this.#first || end - this.#next > most;
    const few = this.#atEnd && !view.behind && this.behind;
    this.behind = view.behind !== null;
    const lost = this.#history?.whole !== history.whole || this.#first < history.dropped;
    this.#history = history;
    if (lost || few || (far && this.#atEnd)) this.#restart(end - most);
    this.#cut(end);
    setAttribute(this.list, 'data-hours', view.hours);
    setText(this.total, `${count(incident.index)} ${incident.index === 1 ? 'event' : 'events'}`);
    setText(this.note, view.loading ? 'Loading what happened before …' : history.missing && `Not loaded: ${history.missing}`);
    show(this.note, this.note.textContent !== '');
    // Only the first event says how severe it is.
    show(this.gone, incident.severity === null && !view.loading && history.missing === '');
    if (!this.#atEnd) {
      // A reader further up is left alone.
      this.#setUnseen(end - this.#next);
    } else if (end > this.#next || scrubbed) {
      this.#append(end);
      this.#trim();
      this.#toEnd();
    }
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
    this.#first = Math.max(this.#history.dropped, first);
    this.#next = this.#first;
    this.#refreshOlder();
  }

  /** Adds rows up to an entry. */
  #append(end) {
    const { entries, dropped } = this.#history;
    const rows = document.createDocumentFragment();
    // What a person goes back to has not just come.
    const past = this.view.scrub !== null && !this.view.scrub.playing;
    const arrived = !past && end - this.#next <= MOST_FRESH;
    for (; this.#next < end; this.#next += 1) {
      const entry = entries[this.#next - dropped];
      const phaseBefore = this.#next > this.#first ? entries[this.#next - dropped - 1]?.phase : null;
      if (entry.phase && entry.phase !== phaseBefore)
        rows.append(divider(entry.phase, this.#startOf(entry), this.view.hours));
      const row = rowOf(entry, this.view);
      if (arrived && entry.live) this.#colour(row);
      rows.append(row);
    }
    this.rows.append(rows);
  }

  #colour(row) {
    setAttribute(row, 'data-fresh', FRESH_STEPS);
    this.#fresh.push(row);
    if (this.#fresh.length === 1) setTimeout(this.#fade, FRESH_MS);
  }

  #fade = () => {
    this.#fresh = this.#fresh.filter((row) => {
      const left = Number(row.dataset.fresh ?? 0) - 1;
      setAttribute(row, 'data-fresh', left > 0 ? left : null);
      return left > 0 && row.isConnected;
    });
    if (this.#fresh.length > 0) setTimeout(this.#fade, FRESH_MS);
  };

  /** When a phase really began: as planned, unless an event of it came earlier. */
  #startOf({ phase, phase_s }) {
    const planned = this.view.incident.phases.findLast(({ name, start_s }) => name === phase && start_s <= phase_s);
    return planned?.start_s ?? phase_s;
  }

  #trim() {
    const most = this.view.behind ? ROWS_BEHIND : MOST_ROWS;
    let surplus = this.#next - this.#first - most;
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
    const { entries, dropped } = this.#history;
    this.#restart(this.#first - MORE_ROWS);
    this.#atEnd = false;
    this.#append(Math.min(dropped + entries.length, this.#first + MOST_ROWS));
    this.list.scrollTop = scrollTop + this.list.scrollHeight - scrollHeight;
    this.#scrolledTo = this.list.scrollTop;
  }

  /** The reader came to the last row: then more of what happened after it. */
  #showNewer() {
    const end = this.#history.dropped + this.#history.entries.length;
    this.#append(Math.min(end, this.#next + MORE_ROWS));
    this.#trim();
    this.#atEnd = this.#next >= end;
    this.#setUnseen(end - this.#next);
    this.#scrolledTo = this.list.scrollTop;
  }

  #refreshOlder() {
    const hidden = this.#first - this.#history.dropped;
    show(this.older, hidden > 0);
    setText(this.older, `Show ${count(Math.min(hidden, MORE_ROWS))} older of ${count(hidden)}`);
  }

  /** Only scrolling up leaves the end. New rows and changed heights do not. */
  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.list;
    const down = scrollHeight - scrollTop - clientHeight < END_PX;
    if (down && !this.#atEnd && this.#history) this.#showNewer();
    else if (!down && scrollTop < this.#scrolledTo) this.#atEnd = false;
    this.#scrolledTo = scrollTop;
  }

  /** Rows that were removed make the list shorter, which is not the reader's doing. */
  #toEnd() {
    this.#setUnseen(0);
    this.#atEnd = true;
    this.list.scrollTop = this.list.scrollHeight;
    this.#scrolledTo = this.list.scrollTop;
  }

  /** To the newest row, from wherever the reader is. */
  #follow() {
    const end = this.#history ? this.#history.dropped + this.#history.entries.length : 0;
    if (end - this.#next > MORE_ROWS) this.#restart(end - MOST_ROWS);
    if (this.#history) this.#append(end);
    this.#trim();
    this.#toEnd();
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
