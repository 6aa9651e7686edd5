// Owns the incidents of the last days: a bar for each day, and below them each incident with a bar for how long it took.

import { element, keyed, setAttribute, setProperty, setText, show } from '../dom.js';
import { cashShort, count, duration } from '../format.js';
import { setIcon } from '../icons.js';
import { lastDays } from '../urgency.js';

const DAYS = 7;
const MOST_ROWS = 60;

const WEEKDAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short' });
const DATE = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

class PastIncidents extends HTMLElement {
  /** The start of the day that was chosen; `null` for all. */
  #day = null;

  connectedCallback() {
    this.total = element('span', { class: 'muted count' });
    this.days = element('div', { class: 'days', role: 'group', 'aria-label': `Incidents that ended on each of the last ${DAYS} days` });
    this.list = element('ul', { class: 'past-list' });
    this.none = element('p', { class: 'muted empty' });
    this.classList.add('panel');
    this.append(element('header', {}, element('h3', {}, `The last ${DAYS} days`), this.total), this.days, this.none, this.list);
  }

  /**
   * @param {import('../fold.js').IncidentState[]} incidents
   * @param {number} now_ms by the server's clock
   * @param {boolean} filtered some were left out
   */
  update(incidents, now_ms, filtered) {
    this.given = [incidents, now_ms, filtered];
    const days = lastDays(incidents, now_ms, DAYS);
    const most = Math.max(1, ...days.map(({ real, drills }) => real.length + drills.length));
    if (!days.some(({ start }) => start === this.#day)) this.#day = null;
    keyed(
      this.days,
      days,
      ({ start }) => String(start),
      (day) => this.#createDay(day),
      (node, day) => refreshDay(node, day, most, day.start === this.#day),
    );
    const ended = days
      .filter(({ start }) => this.#day === null || start === this.#day)
      .flatMap(({ real, drills }) => [...real, ...drills])
      .toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time));
    const real = ended.filter(({ synthetic }) => !synthetic).length;
    setText(this.total, ended.length > 0 ? `${count(real)} real, ${count(ended.length - real)} ${ended.length - real === 1 ? 'drill' : 'drills'}` : '');
    const longest = Math.max(1, ...ended.map(tookOf));
    keyed(
      this.list,
      ended.slice(0, MOST_ROWS),
      ({ id }) => id,
      create,
      (node, incident) => refresh(node, incident, longest),
    );
    setText(this.none, ended.length > 0 ? '' : filtered ? 'None that ended fits the search.' : 'No incident ended in these days.');
    show(this.none, ended.length === 0);
  }

  #createDay({ start }) {
    const button = element('button', { type: 'button', class: 'day' }, element('span', { class: 'day-count digits' }), element('span', { class: 'day-bar' }, element('span', { class: 'day-drills' }), element('span', { class: 'day-real' })), element('span', { class: 'day-name' }));
    button.addEventListener('click', () => {
      this.#day = this.#day === start ? null : start;
      this.update(...this.given);
    });
    return button;
  }
}

function refreshDay(node, { start, real, drills }, most, chosen) {
  const [total, bar, name] = node.children;
  const all = real.length + drills.length;
  setText(total, all === 0 ? '' : count(all));
  setProperty(bar, '--real', real.length / most);
  setProperty(bar, '--drills', drills.length / most);
  setText(name, WEEKDAY.format(start));
  setAttribute(node, 'aria-pressed', String(chosen));
  setAttribute(node, 'aria-label', `${DATE.format(start)}: ${count(real.length)} real, ${count(drills.length)} drills`);
  setAttribute(node, 'title', node.getAttribute('aria-label'));
}

function create({ id }) {
  const button = element('button', { type: 'button', class: 'past-title' });
  const node = element(
    'li',
    { class: 'past-row', 'data-past': id },
    element('span', { class: 'past-outcome' }),
    element('span', { class: 'past-what' }, button, element('span', { class: 'sub' })),
    element('span', { class: 'past-took' }, element('span', { class: 'past-bar' }, element('span', { class: 'past-goal' })), element('span', { class: 'digits sub' })),
  );
  button.addEventListener('click', () => node.dispatchEvent(new CustomEvent('incident-select', { detail: id, bubbles: true })));
  return node;
}

function refresh(node, incident, longest) {
  const [outcome, what, took] = node.children;
  const resolved = incident.state === 'resolved';
  const seconds = tookOf(incident);
  const over = incident.target_s !== null && resolved && seconds - incident.target_s >= 0.5;
  setIcon(outcome, resolved ? 'check' : 'close');
  setAttribute(outcome, 'data-outcome', incident.state);
  setText(what.firstElementChild, incident.title);
  setAttribute(what.firstElementChild, 'title', `${incident.title} (${incident.id})`);
  const kind = incident.synthetic ? 'drill' : 'real';
  const cost = incident.cost && cashShort(incident.cost.total, incident.cost.currency);
  const facts = [TIME.format(Date.parse(incident.time)), incident.severity, kind, cost, !resolved && incident.state];
  setText(what.lastElementChild, facts.filter(Boolean).join(' · '));
  const [bar, text] = took.children;
  setProperty(bar, '--part', seconds / longest);
  setAttribute(bar, 'data-over', over);
  show(bar.firstElementChild, incident.target_s !== null && incident.target_s <= longest);
  if (incident.target_s !== null) setProperty(bar, '--goal', incident.target_s / longest);
  setText(text, `${over ? '▲ ' : ''}${duration(seconds)}`);
  setAttribute(took, 'title', over ? `${duration(seconds)}, ${duration(seconds - incident.target_s)} over the target` : duration(seconds));
}

function tookOf({ resolution, offset_s }) {
  return Math.max(0, resolution?.durations.resolve_s ?? offset_s);
}

customElements.define('past-incidents', PastIncidents);
