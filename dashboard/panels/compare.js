// Owns the comparison of two runs side by side from their start: where they first differ, phases, cost, beliefs, milestones.

import { Run, firstDifference, loadRun } from '../compare.js';
import { element, setAttribute, setProperty, setText, show, svg } from '../dom.js';
import { agentName, cash, cashShort, clock, count, duration, inHours, percent, stamp, words } from '../format.js';
import { icon, phaseIcon } from '../icons.js';

const WIDTH = 1000;
const HEIGHT = 60;
const MOST_HYPOTHESES = 6;
/** Arrow keys move the cursor by this part of the axis. */
const STEP = 0.01;
/** What comes of open runs is drawn at most so often. */
const APART_MS = 1000;

const MILESTONES = [
  ['Detected', ({ marks }) => marks.detected],
  ['Diagnosed', ({ marks }) => marks.diagnosed],
  ['Mitigated', ({ marks }) => marks.mitigated],
  ['Ended', ({ resolution }) => resolution?.durations.resolve_s ?? null],
];

class ComparePanel extends HTMLElement {
  #shown = '';
  /** What is loaded of each run. @type {Map<string, Run>} */
  #runs = new Map();
  #stream = '';
  /** The loading that is under way. */
  #loading = null;
  /** Place of the cursor, 0 to 1. */
  #at = null;

  connectedCallback() {
    this.back = element('button', { type: 'button', title: 'Back to what was shown before (Esc)' }, icon('left'), element('span', { class: 'word' }, 'Back'));
    this.back.addEventListener('click', leave);
    this.selects = ['A', 'B'].map((letter) => {
      const select = element('select', { 'aria-label': `Run ${letter}` });
      select.addEventListener('change', () => compare(...this.selects.map(({ value }) => value)));
      return select;
    });
    this.swap = element('button', { type: 'button', title: 'Swap both runs' }, 'Swap');
    this.swap.addEventListener('click', () => compare(this.selects[1].value, this.selects[0].value));
    this.difference = element('section', { class: 'difference', role: 'status' });
    this.body = element('div', { class: 'compare-body', tabindex: '0', role: 'group', 'aria-label': 'Both runs on one axis of time; arrow keys move the cursor' });
    this.readout = element('p', { class: 'compare-readout digits' });
    this.problem = element('p', { class: 'problem', role: 'alert', hidden: true });
    this.table = element('div', { class: 'compare-table panel' });
    this.append(
      element(
        'header',
        { class: 'board-bar' },
        this.back,
        element('h2', {}, 'Compare'),
        ...this.selects.map((select, place) => element('span', { class: 'run-choice' }, element('span', { class: `run-mark run-${'ab'[place]}` }, 'AB'[place]), select)),
        this.swap,
      ),
      this.problem,
      this.difference,
      element('div', { class: 'compare-main' }, element('section', { class: 'panel compare-charts' }, this.readout, this.body), this.table),
    );
    this.body.addEventListener('pointermove', (event) => this.#point(event));
    this.body.addEventListener('pointerleave', () => this.#move(null));
    this.body.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {import('../model.js').View} view */
  update({ compare: ids, all, connection }) {
    for (const [place, select] of this.selects.entries()) this.#options(select, all, ids[place]);
    const stream = connection.position?.stream ?? '';
    if (stream !== this.#stream) this.#runs.clear();
    this.#stream = stream;
    this.newest = new Map(ids.map((id) => [id, all.find((one) => one.id === id)?.index ?? '']));
    const key = [stream, ...ids.map((id) => `${id} ${this.newest.get(id)}`)].join();
    if (key === this.#shown) return;
    const before = this.ids?.join();
    this.#shown = key;
    this.ids = ids;
    if (before !== ids.join()) {
      this.#at = null;
      this.#loading = null;
      for (const id of this.#runs.keys()) if (!ids.includes(id)) this.#runs.delete(id);
    }
    if (!this.#loading) this.#follow(ids);
  }

  /** Loads what is new until nothing is. */
  async #follow(ids) {
    const loading = {};
    this.#loading = loading;
    for (let shown = ''; this.#loading === loading && shown !== this.#shown; ) {
      shown = this.#shown;
      await this.#load(ids, () => this.#loading === loading);
      await new Promise((go) => setTimeout(go, APART_MS));
    }
    if (this.#loading === loading) this.#loading = null;
  }

  /** A run with everything that is known of it. */
  async #run(id) {
    const known = this.#runs.get(id) ?? new Run();
    if (known.incident && known.incident.index >= this.newest.get(id)) return known;
    const run = await loadRun(id, known);
    if (this.ids.includes(id)) this.#runs.set(id, run);
    return run;
  }

  #options(select, all, id) {
    const known = all.toSorted((a, b) => Date.parse(b.time) - Date.parse(a.time));
    const key = known.map((one) => `${one.id} ${one.state}`).join('\n');
    if (select.filled !== key) {
      select.filled = key;
      select.replaceChildren(...known.map((one) => element('option', { value: one.id }, labelOf(one))));
    }
    if (select.value !== id) select.value = id;
  }

  async #load(ids, isWanted) {
    try {
      const [a, b] = await Promise.all(ids.map((id) => this.#run(id)));
      if (!isWanted()) return;
      show(this.problem, false);
      this.#draw(a, b);
    } catch (error) {
      if (!isWanted()) return;
      setText(this.problem, `The runs cannot be compared: ${error.message}`);
      show(this.problem, true);
      this.difference.replaceChildren();
      this.body.replaceChildren();
      this.table.replaceChildren();
    }
  }

  #draw(a, b) {
    this.pair = [a, b];
    this.total = Math.max(1, a.end_s, b.end_s);
    this.hours = inHours(a.incident, a.end_s) || inHours(b.incident, b.end_s);
    const difference = firstDifference(a, b);
    this.difference.replaceChildren(...this.#told(difference));
    setAttribute(this.difference, 'data-kind', difference.kind);
    this.splitAt = difference.kind === 'none' ? null : difference.offset_s / this.total;
    const x = (offset_s) => (Math.min(this.total, Math.max(0, offset_s)) / this.total) * WIDTH;
    this.body.replaceChildren(
      this.#tracks(a, 'A'),
      this.#tracks(b, 'B'),
      ...this.#axis(),
      ...this.#cost(a, b, x),
      ...this.#beliefs(a, b, x),
      element('span', { class: 'compare-split', hidden: this.splitAt === null }, element('span', {}, 'first difference')),
      element('span', { class: 'compare-cursor', hidden: true }),
    );
    if (this.splitAt !== null) setProperty(this.body, '--split', this.splitAt);
    setAttribute(this.body, 'data-split-right', (this.splitAt ?? 0) > 0.8);
    this.table.replaceChildren(...this.#milestones(a, b));
    this.#read();
  }

  /** Where both first differ, in a sentence. */
  #told({ kind, offset_s, a, b }) {
    const [one, other] = this.pair;
    const settings = [one, other].map(({ incident }) => settingsOf(incident));
    const chosen = settings[0] === settings[1] ? null : element('p', { class: 'muted' }, `Settings: A ${settings[0]} · B ${settings[1]}`);
    if (kind === 'none') {
      const open = [one, other].some(({ incident }) => incident.state === 'open');
      const far = open ? 'Both took the same steps at the same times, as far as the open one has come.' : 'Both runs took the same steps at the same times.';
      return [element('strong', {}, open ? 'No difference so far' : 'No difference'), element('p', {}, far), chosen].filter(Boolean);
    }
    const heading = element('strong', {}, `First difference at ${stamp(offset_s, this.hours)}`);
    if (kind === 'times') {
      const later = b.offset_s - a.offset_s;
      return [heading, element('p', {}, `${sentence(a)} ${duration(Math.abs(later))} ${later > 0 ? 'later' : 'earlier'} in B.`), chosen].filter(Boolean);
    }
    const side = (letter, step) =>
      element(
        'p',
        {},
        element('span', { class: `run-mark run-${letter.toLowerCase()}` }, letter),
        step ? `${stamp(step.offset_s, this.hours)} ${sentence(step)}` : 'does nothing of the kind.',
      );
    return [heading, side('A', a), side('B', b), chosen].filter(Boolean);
  }

  #tracks(run, letter) {
    const bars = run.stretches.map(({ phase, from_s, to_s }, place) => {
      const end = run.stretches[place + 1]?.from_s ?? Math.max(to_s, run.end_s);
      const bar = element('span', { class: 'compare-phase', 'data-phase': phase, title: `${words(phase)}: ${stamp(from_s, this.hours)} to ${stamp(end, this.hours)}` }, icon(phaseIcon(phase)), element('span', { class: 'word' }, words(phase)));
      setProperty(bar, '--from', from_s / this.total);
      setProperty(bar, '--to', end / this.total);
      return bar;
    });
    const failed = run.steps.filter(({ status }) => status === 'failed').map(({ offset_s, summary }) => {
      const mark = element('span', { class: 'compare-failed', role: 'img', 'aria-label': `Failed at ${stamp(offset_s, this.hours)}: ${summary}`, title: `${stamp(offset_s, this.hours)} failed: ${summary}` }, '▲');
      setProperty(mark, '--from', offset_s / this.total);
      return mark;
    });
    const { state } = run.incident;
    const end = `${state === 'open' ? 'open, at' : state} ${stamp(run.end_s, this.hours)}`;
    return row(letter, end, element('div', { class: 'compare-track', 'data-run': letter }, ...bars, ...failed));
  }

  #axis() {
    const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
      const mark = element('span', { class: 'digits' }, clock(part * this.total, this.hours));
      setProperty(mark, '--from', part);
      return mark;
    });
    return [row('', '', element('div', { class: 'compare-axis', 'aria-hidden': 'true' }, ...marks))];
  }

  #cost(a, b, x) {
    const lines = [a, b].map((run) => run.cost.line().points);
    const most = Math.max(...lines.flat().map(({ value }) => value), 0);
    if (most === 0) return [];
    const y = (value) => HEIGHT - 3 - (value / most) * (HEIGHT - 8);
    const currency = (a.incident.cost ?? b.incident.cost).currency;
    const paths = lines.map((points, place) => points.length > 0 && svg('path', { class: `compare-line run-${'ab'[place]}`, d: `M${points.map(({ offset_s, value }) => `${x(offset_s).toFixed(1)} ${y(value).toFixed(1)}`).join('L')}` }));
    const totals = [a, b].map(({ incident }) => (incident.cost ? cashShort(incident.cost.total, incident.cost.currency) : '–'));
    return [row('Cost', `up to ${cashShort(most, currency)}`, chart(paths), totals)];
  }

  /** What was believed, a chart for each hypothesis. */
  #beliefs(a, b, x) {
    const all = new Map([...a.hypotheses, ...b.hypotheses]);
    const peak = (id) => Math.max(0, ...[a, b].flatMap((run) => run.hypotheses.get(id)?.beliefs ?? []).map(({ p }) => p));
    const ids = [...all.keys()].toSorted((one, other) => peak(other) - peak(one)).slice(0, MOST_HYPOTHESES);
    const y = (p) => HEIGHT - 3 - p * (HEIGHT - 8);
    return ids.map((id) => {
      const paths = [a, b].map((run, place) => {
        const beliefs = run.hypotheses.get(id)?.beliefs ?? [];
        const steps = beliefs.map(({ offset_s, p }, index) => `${index === 0 ? 'M' : 'H'}${x(offset_s).toFixed(1)}${index === 0 ? ' ' : 'V'}${y(p).toFixed(1)}`);
        return beliefs.length > 0 && svg('path', { class: `compare-line run-${'ab'[place]}`, d: `${steps.join('')}H${x(run.end_s).toFixed(1)}` });
      });
      const last = [a, b].map((run) => run.beliefAt(id, Infinity)).map((p) => (p === null ? '–' : percent(p)));
      return row(all.get(id).claim, 'belief, 0 to 100%', chart(paths), last);
    });
  }

  #milestones(a, b) {
    const time = (seconds) => (seconds === null ? '–' : clock(seconds, this.hours));
    const rows = MILESTONES.map(([name, of]) => {
      const [one, other] = [of(a.incident), of(b.incident)];
      return [name, time(one), time(other), one === null || other === null ? '' : signed(other - one, duration)];
    });
    const [cost, otherCost] = [a.incident.cost, b.incident.cost];
    const money = (value) => (value ? cash(value.total, value.currency) : '–');
    const same = cost && otherCost && cost.currency === otherCost.currency;
    rows.push(['Cost', money(cost), money(otherCost), same ? signed(otherCost.total - cost.total, (value) => cash(value, cost.currency)) : '']);
    const number = (value) => (value === null ? '–' : count(value));
    const [users, otherUsers] = [a.incident.users_peak, b.incident.users_peak];
    rows.push(['Peak users', number(users), number(otherUsers), users === null || otherUsers === null ? '' : signed(otherUsers - users, count)]);
    const failed = [a, b].map(({ incident }) => incident.actions.failed);
    rows.push(['Failed actions', ...failed.map(count), signed(failed[1] - failed[0], count)]);
    const head = [element('td'), ...['A', 'B', 'B against A'].map((name) => element('th', { scope: 'col' }, name))];
    const lines = rows.map(([name, ...cells]) => element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map((cell) => element('td', { class: 'digits' }, cell))));
    return [element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...lines))];
  }

  #point(event) {
    const area = this.body.querySelector('.compare-track')?.getBoundingClientRect();
    if (area?.width > 0) this.#move(Math.min(1, Math.max(0, (event.clientX - area.left) / area.width)));
  }

  #key(event) {
    const step = { ArrowLeft: -STEP, ArrowRight: STEP }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.#move(Math.min(1, Math.max(0, (this.#at ?? this.splitAt ?? 0) + step)));
  }

  #move(at) {
    this.#at = at;
    this.#read();
  }

  /** What was so in both runs at the cursor, or else where they part. */
  #read() {
    const cursor = this.body.querySelector('.compare-cursor');
    if (!cursor) return;
    show(cursor, this.#at !== null);
    if (this.#at !== null) setProperty(this.body, '--cursor', this.#at);
    const offset_s = (this.#at ?? this.splitAt ?? 1) * this.total;
    const told = this.pair.map((run, place) => {
      const { phase, cost, ended } = run.at(offset_s);
      const currency = run.incident.cost?.currency;
      return `${'AB'[place]}: ${ended ? words(run.incident.state) : words(phase ?? '–')}${cost === null ? '' : `, ${cashShort(cost, currency)}`}`;
    });
    setText(this.readout, `${stamp(offset_s, this.hours)} · ${told.join(' · ')}`);
  }
}

function row(name, sub, content, values = []) {
  return element(
    'div',
    { class: 'compare-row' },
    element('div', { class: 'compare-name' }, name.length === 1 ? element('span', { class: `run-mark run-${name.toLowerCase()}` }, name) : element('span', { class: 'claim', title: name }, name), element('span', { class: 'sub' }, sub)),
    content,
    element('div', { class: 'compare-values digits' }, ...values.map((value, place) => element('span', {}, `${'AB'[place]} ${value}`))),
  );
}

function chart(paths) {
  return svg('svg', { class: 'compare-chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...paths.filter(Boolean));
}

function sentence({ agent, action, status, summary }) {
  if (action === 'end') return `${words(status)}: ${summary}`;
  const how = { failed: ' (failed)', in_progress: ' (begins)' }[status] ?? '';
  return `${agentName(agent)}${how}: ${summary}`;
}

function settingsOf({ run }) {
  const settings = Object.entries(run?.settings ?? {}).map(([name, value]) => `${name} ${value}`);
  return [...settings, run?.seed !== undefined && run?.seed !== null && `seed ${run.seed}`].filter(Boolean).join(', ') || 'as written';
}

/** Runs of one scenario have one title, and where there is little room the end is cut: what tells them apart comes first. */
function labelOf(incident) {
  const when = new Date(incident.time).toISOString().slice(0, 16).replace('T', ' ');
  const chosen = incident.run?.settings?.variant;
  return [when, incident.state, chosen, incident.title, incident.id].filter(Boolean).join(' · ');
}

function signed(value, write) {
  if (Math.abs(value) < 0.05) return 'same';
  return `${value > 0 ? '+' : '−'}${write(Math.abs(value))}`;
}

function compare(a, b) {
  dispatchEvent(new CustomEvent('compare-show', { detail: [a, b] }));
}

function leave() {
  dispatchEvent(new CustomEvent('compare-show', { detail: null }));
}

export { likelyPartner } from '../compare.js';

customElements.define('compare-panel', ComparePanel);
