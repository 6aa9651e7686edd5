// Owns the feed: one row an event, oldest first, coloured by phase, kept at its end unless someone reads above.

import { element, setAttribute, setText, show } from '../dom.js';
import { count, duration, percent, quantity, stamp, words, metric } from '../format.js';
import { icon, phaseIcon } from '../icons.js';

/** Rows in the DOM; the rest waits in the history. */
const MOST_ROWS = 500;
const OLDER_ROWS = 200;
/** This close to the end counts as at the end. */
const END_PX = 48;

const STATUS = {
  in_progress: { icon: 'idle', word: 'began' },
  completed: { icon: 'check', word: 'done' },
  failed: { icon: 'alert', word: 'failed' },
};

class Feed extends HTMLElement {
  /** Number of the first and of the next row, counted over all entries of the history. */
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
    this.rows = element('div');
    this.list = element(
      'div',
      { id: 'feed', role: 'log', 'aria-live': 'off', 'aria-label': 'Activity', tabindex: '0' },
      this.older,
      this.rows,
    );
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
      ),
      this.list,
      this.news,
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
    // Rows out of sight have estimated heights: laid out, they push the end away.
    const keep = new ResizeObserver(() => this.#atEnd && this.#toEnd());
    keep.observe(this.list);
    keep.observe(this.rows);
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { history, incident } = view;
    if (!history) return;
    this.view = view;
    if (this.#history !== history || this.#next < history.dropped) {
      this.#history = history;
      this.#unseen = 0;
      this.#atEnd = true;
      this.#restart(Math.max(history.dropped, history.dropped + history.entries.length - MOST_ROWS));
    }
    const before = this.#next;
    this.#append();
    const added = this.#next - before;
    setAttribute(this.list, 'data-hours', view.hours);
    setText(this.total, `${count(incident.index)} events`);
    if (added === 0) return;
    if (this.#atEnd) this.#toEnd();
    else this.#setUnseen(this.#unseen + added);
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
        rows.append(divider(entry.phase, entry.data.offset_s, this.view.hours));
      rows.append(this.#row(entry));
    }
    this.rows.append(rows);
    // While someone reads above, nothing is pulled away under their eyes.
    if (this.#atEnd) this.#trim();
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

  /** Only someone who scrolls up leaves the end; rows that arrive or are laid out anew do not. */
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

  #row(entry) {
    if (entry.gap) return gapRow(entry.gap);
    const { hours, incident } = this.view;
    const { data, type, phase } = entry;
    const cause = data.caused_by && this.#history.entry(data.caused_by);
    return element(
      'article',
      {
        class: 'row',
        'data-position': entry.position,
        'data-index': entry.index,
        'data-phase': phase,
        'data-incident': incident.id,
        'data-status': data.status,
        'data-key-moment': isKey(entry),
        'data-live': entry.live,
      },
      element('time', { class: 'digits' }, stamp(data.offset_s, hours)),
      ...(type === 'agent_action' ? action(data, cause, hours, incident.units) : [milestone(type, data)]),
    );
  }
}

function toggle(button) {
  const pressed = button.getAttribute('aria-pressed') !== 'true';
  setAttribute(button, 'aria-pressed', String(pressed));
  return pressed;
}

/** What someone who has a minute must not miss. */
function isKey({ type, data }) {
  return type !== 'agent_action' || data.status === 'failed' || data.marks.length > 0 || data.forecast !== undefined;
}

function divider(phase, offset_s, hours) {
  return element(
    'div',
    { class: 'divider', 'data-phase': phase },
    icon(phaseIcon(phase)),
    element('span', {}, words(phase)),
    element('span', { class: 'digits' }, stamp(offset_s, hours)),
  );
}

function gapRow({ from, to }) {
  const many = to - from + 1;
  return element(
    'div',
    { class: 'row gap', 'data-gap': `${from}-${to}` },
    icon('alert'),
    `${count(many)} ${many === 1 ? 'event' : 'events'} lost here: positions ${from} to ${to} are gone from the server`,
  );
}

function milestone(type, data) {
  const started = type === 'incident_started';
  const text = started ? `Incident started: ${data.title}` : `Incident ${data.outcome}: ${data.summary}`;
  return element('div', { class: 'body' }, element('p', { class: 'summary strong' }, text));
}

function action(data, cause, hours, units) {
  const status = STATUS[data.status];
  const facts = [
    ...data.marks.map((mark) => element('span', { class: 'fact mark' }, icon('check'), words(mark))),
    data.attempt && element('span', { class: 'fact' }, `attempt ${data.attempt}`),
    data.forecast && element('span', { class: 'fact digits' }, forecast(data.forecast, hours)),
    ...data.evidence.map((one) => element('span', { class: 'fact', title: one.text }, evidence(one, units))),
    cause &&
      element(
        'span',
        { class: 'fact cause', title: cause.data.summary },
        `after: ${cause.data.summary ?? cause.data.title}`,
      ),
    data.late_s && element('span', { class: 'fact' }, `${duration(data.late_s)} late`),
  ].filter(Boolean);
  return [
    element('span', { class: 'agent' }, words(data.agent)),
    element(
      'div',
      { class: 'body' },
      element('p', { class: 'summary', title: words(data.action) }, data.summary),
      facts.length > 0 && element('p', { class: 'facts' }, ...facts),
    ),
    element(
      'span',
      { class: 'confidence digits', title: 'Confidence' },
      data.confidence === undefined ? '' : percent(data.confidence),
    ),
    element('span', { class: 'status', 'data-status': data.status }, icon(status.icon), status.word),
  ];
}

function forecast({ quantity: name, unit, p10, p50, p90 }, hours) {
  const spread =
    p10 !== undefined && p90 !== undefined ? ` (${quantity(p10, unit, hours)}–${quantity(p90, unit, hours)})` : '';
  return `${words(name)} ${quantity(p50, unit, hours)}${spread}`;
}

function evidence({ kind, ref, text, value }, units) {
  const said = value !== undefined ? metric(value, units[ref]) : text;
  return said === undefined ? `${kind} ${ref}` : `${kind} ${ref}: ${said}`;
}

customElements.define('feed-panel', Feed);
