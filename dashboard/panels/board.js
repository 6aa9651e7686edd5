// Owns the list of all incidents: the open ones by urgency, with state, countdown and cost, and beside them those of the last
// days. It can be searched and filtered, and a row pinned as a tab.

import { element, keyed, setAttribute, setText, show } from '../dom.js';
import { cashShort, count, countdown, inHours, notListed, stamp, words } from '../format.js';
import { icon, phaseIcon, setIcon } from '../icons.js';
import { byUrgency, fits, heldOrder, servicesOf } from '../urgency.js';
import { showBoard } from './entrances.js';
import './past.js';

/** The order changes at most so often, so that a row can be read and hit. */
const ORDER_MS = 3000;
/** More rows than this are found by searching. */
const MOST_ROWS = 200;
const COLUMNS = ['Severity', 'Incident', 'State', 'To target', 'Cost', 'A minute', 'Tab'];

class IncidentBoard extends HTMLElement {
  /** Ids in the order in which they are shown, and when that was decided. */
  #order = [];
  #orderedAt = 0;

  connectedCallback() {
    this.heading = element('h2', {}, 'Incidents');
    this.total = element('span', { class: 'muted' });
    this.search = element('input', { type: 'search', class: 'search', placeholder: 'Search incidents', 'aria-label': 'Search incidents', autocomplete: 'off', spellcheck: 'false' });
    this.service = element('select', { 'aria-label': 'Service' });
    this.kind = element(
      'select',
      { 'aria-label': 'Real incidents or drills' },
      ...[['', 'Real and drills'], ['real', 'Real only'], ['drill', 'Drills only']].map(([value, word]) => element('option', { value }, word)),
    );
    this.back = element('button', { type: 'button', title: 'Back to what was shown before (Esc)' }, icon('left'), element('span', { class: 'word' }, 'Back'));
    const head = COLUMNS.map((name) => element('span', { role: 'columnheader', 'data-column': name }, name));
    this.rows = element('div', { role: 'rowgroup' });
    this.table = element(
      'div',
      { class: 'board-table', role: 'table', 'aria-label': 'Open incidents, the most urgent first' },
      element('div', { role: 'rowgroup', class: 'board-heads' }, element('div', { class: 'board-row board-head', role: 'row' }, ...head)),
      this.rows,
    );
    this.none = element('p', { class: 'muted empty' });
    this.partial = element('p', { class: 'partial', role: 'status' });
    this.past = element('past-incidents');
    this.append(
      element('header', { class: 'board-bar' }, this.back, this.heading, this.total, element('span', { class: 'grow' }), this.search, this.service, this.kind),
      element('section', { class: 'board-open panel' }, this.partial, this.table, this.none),
      this.past,
    );
    // Rows that were held go to their places.
    this.rows.addEventListener('pointerleave', () => this.#release());
    this.rows.addEventListener('focusout', ({ relatedTarget }) => this.rows.contains(relatedTarget) || this.#release());
    for (const field of [this.search, this.service, this.kind]) {
      field.addEventListener('input', () => {
        this.#order = [];
        this.#refresh();
      });
    }
    this.search.addEventListener('keydown', (event) => this.#searchKey(event));
    this.rows.addEventListener('keydown', (event) => this.#rowKey(event));
    this.back.addEventListener('click', () => showBoard(false));
  }

  /** @param {import('../model.js').View} view */
  update(view, model) {
    this.view = view;
    this.model = model;
    this.#refresh();
    if (!this.wantsFocus) return;
    // One who opened the list with a key goes on with keys.
    this.wantsFocus = false;
    this.focusFirst();
  }

  /** @param {import('../model.js').View} view */
  tick(view, model) {
    this.view = view;
    for (const node of this.rows.children) refreshNumbers(node, model.momentOf(node.incident));
  }

  #refresh() {
    const { view, model } = this;
    if (!view) return;
    const all = view.all;
    this.#services(servicesOf(all));
    const filter = { text: this.search.value.trim(), service: this.service.value, kind: this.kind.value };
    const chosen = all.filter((incident) => fits(incident, filter));
    const open = chosen.filter(({ state }) => state === 'open');
    const shown = this.#ordered(open, chosen, model).slice(0, MOST_ROWS);
    keyed(
      this.rows,
      shown,
      ({ id }) => id,
      create,
      (node, incident) => refresh(node, incident, view),
    );
    const openOfAll = all.filter(({ state }) => state === 'open').length;
    const filtered = chosen.length < all.length;
    setText(this.total, filtered ? `${count(open.length)} of ${count(openOfAll)} open` : `${count(openOfAll)} open`);
    show(this.table, shown.length > 0);
    setText(this.partial, notListed(view.leftOut));
    show(this.partial, view.leftOut > 0);
    const more = open.length > MOST_ROWS ? `${count(open.length - MOST_ROWS)} more are found by searching.` : '';
    setText(this.none, shown.length > 0 ? more : filtered ? 'No open incident fits the search.' : 'No incident is open.');
    show(this.none, this.none.textContent !== '');
    this.past.update(chosen, model.clock.now(), view.all.length > chosen.length);
    for (const node of this.rows.children) refreshNumbers(node, model.momentOf(node.incident));
  }

  #release() {
    this.#orderedAt = -Infinity;
    this.#refresh();
  }

  /**
   * The rows do not change places all the time, and none moves under a pointer or the focus: not by what is new, nor by what ends,
   * whose row stays so long.
   */
  #ordered(open, chosen, model) {
    const now = performance.now();
    const held = Array.from(this.rows.querySelectorAll(':scope > :is(:hover, :focus-within)')).at(-1)?.dataset.board ?? null;
    const known = new Set(this.#order);
    if (held !== null || now - this.#orderedAt > ORDER_MS || !open.every(({ id }) => known.has(id))) {
      const sorted = byUrgency(open, (incident) => model.momentOf(incident)).map(({ id }) => id);
      this.#order = held === null ? sorted : heldOrder(this.#order, sorted, held);
      if (held === null) this.#orderedAt = now;
    }
    const rows = new Map((held === null ? open : chosen).map((incident) => [incident.id, incident]));
    return this.#order.map((id) => rows.get(id)).filter(Boolean);
  }

  #services(services) {
    const key = services.join('\n');
    if (this.servicesKey === key) return;
    this.servicesKey = key;
    const value = this.service.value;
    this.service.replaceChildren(element('option', { value: '' }, 'All services'), ...services.map((name) => element('option', { value: name }, name)));
    this.service.value = services.includes(value) ? value : '';
  }

  focusFirst() {
    (this.rows.querySelector('.board-title') ?? this.search).focus();
  }

  #searchKey(event) {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      this.rows.querySelector('.board-title')?.focus();
    } else if (event.key === 'Escape' && this.search.value !== '') {
      event.preventDefault();
      event.stopPropagation();
      this.search.value = '';
      this.#refresh();
    }
  }

  #rowKey(event) {
    const row = event.target.closest('.board-row');
    const rows = Array.from(this.rows.children);
    const place = rows.indexOf(row);
    const next = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (event.key === 'p') row.querySelector('.pin').click();
    else if (next === -1) this.search.focus();
    else if (next !== undefined) rows[Math.min(rows.length - 1, next)].querySelector('.board-title').focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function create({ id }) {
  const title = element('button', { type: 'button', class: 'board-title' }, element('span', { class: 'new-dot', hidden: true }, element('span', { class: 'unseen' }, 'New: ')), element('span', { class: 'name' }));
  const pin = element('button', { type: 'button', class: 'pin' }, icon('pin'));
  const cell = (name, ...children) => element('span', { role: 'cell', 'data-column': name }, ...children);
  const node = element(
    'div',
    { class: 'board-row', role: 'row', 'data-board': id },
    cell('Severity', element('span', { class: 'badge severity' }), element('span', { class: 'badge drill', hidden: true }, 'DRILL')),
    cell('Incident', title, element('span', { class: 'sub services' })),
    cell('State', element('span', { class: 'board-state' }, element('span'), element('span', { class: 'word' }))),
    cell('To target', element('span', { class: 'digits' }), element('span', { class: 'over' })),
    cell('Cost', element('span', { class: 'digits' })),
    cell('A minute', element('span', { class: 'digits muted' })),
    cell('Tab', pin),
  );
  title.addEventListener('click', () => node.dispatchEvent(new CustomEvent('incident-select', { detail: id, bubbles: true })));
  pin.addEventListener('click', () => node.dispatchEvent(new CustomEvent('incident-pin', { detail: id, bubbles: true })));
  return node;
}

function refresh(node, incident, { unseen, pinned, incident: selected }) {
  node.incident = incident;
  const [severity, title, state, , , , pin] = node.children;
  const [badge, drill] = severity.children;
  setText(badge, incident.severity ?? '');
  show(badge, incident.severity !== null);
  setAttribute(badge, 'data-severity', incident.severity);
  show(drill, incident.synthetic);
  const [button, services] = title.children;
  setText(button.lastElementChild, incident.title);
  setAttribute(button, 'title', `${incident.title} (${incident.id})`);
  setAttribute(button, 'aria-current', incident.id === selected?.id ? 'true' : null);
  show(button.firstElementChild, unseen.has(incident.id));
  setText(services, incident.services.join(' · '));
  const [glyph, word] = state.firstElementChild.children;
  const open = incident.state === 'open';
  setAttribute(state.firstElementChild, 'data-phase', open ? (incident.phase ?? '') : 'ended');
  setIcon(glyph, open ? (incident.phase === null ? 'working' : phaseIcon(incident.phase)) : incident.state === 'resolved' ? 'check' : 'close');
  setText(word, words(open ? (incident.phase ?? 'open') : incident.state));
  const isPinned = pinned.has(incident.id);
  setAttribute(pin.firstElementChild, 'aria-pressed', String(isPinned));
  setAttribute(pin.firstElementChild, 'title', isPinned ? 'Take it from the tabs (p)' : 'Keep it as a tab (p)');
  setAttribute(pin.firstElementChild, 'aria-label', `Keep ${incident.title} as a tab`);
}

function refreshNumbers(node, { offset_s, remaining_s, breached, cost }) {
  const [, , , timer, money, rate] = node.children;
  const hours = inHours(node.incident, offset_s);
  setText(timer.firstElementChild, remaining_s === null ? stamp(offset_s, hours) : countdown(remaining_s, breached, hours));
  setText(timer.lastElementChild, breached ? ' over' : '');
  setAttribute(timer, 'data-breached', breached);
  setText(money.firstElementChild, cost ? cashShort(cost.total, cost.currency) : '–');
  setText(rate.firstElementChild, cost ? `+${cashShort(cost.per_minute, cost.currency)}` : '');
}

customElements.define('incident-board', IncidentBoard);
