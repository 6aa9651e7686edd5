// Owns the headline. It answers six questions: what is broken, what is being done, how sure the cause is, what it costs, when
// it will end, and how sure that is.

import { Attempts } from '../attempts.js';
import { element, setAttribute, setText, show } from '../dom.js';
import { agentName, cashAbout, cashShort, clock, compact, count, countdown, duration, percent, short, stamp, timeOfDay, words } from '../format.js';
import { icon, phaseIcon, setIcon } from '../icons.js';
import { endOf, leadersOf } from '../series.js';

const NOW_ICON = { in_progress: 'working', completed: 'check', failed: 'alert' };
const NOW_WORD = { in_progress: 'working', completed: 'done', failed: 'failed' };
/** More kinds of failed attempts than these are counted, not named. */
const NAMED = 2;

class Headline extends HTMLElement {
  connectedCallback() {
    this.severity = element('span', { class: 'badge severity' });
    this.drill = element('span', { class: 'badge drill', title: 'Simulated. This is not a real incident.' }, 'DRILL');
    this.real = element('span', { class: 'badge real', title: 'A real incident, told by its publishers.' }, 'REAL INCIDENT');
    this.phaseIcon = element('span');
    this.phaseWord = element('span', { class: 'word' });
    this.phasePlace = element('span', { class: 'place digits' });
    this.phase = element('span', { class: 'phase-name' }, this.phaseIcon, this.phaseWord, this.phasePlace);
    this.elapsed = element('span', { class: 'digits elapsed' });
    this.services = element('span', { class: 'services' });
    this.heading = element('h2', { class: 'title' });
    this.nowIcon = element('span', { class: 'status-icon' });
    this.nowText = element('span');
    this.now = element('p', { class: 'now' }, this.nowIcon, this.nowText);
    this.trace = element('p', { class: 'trace' }, element('span'), element('span'));

    this.sure = new Vital('sure');
    this.end = new Vital('end');
    this.timer = new Vital('timer');
    this.digits = element('span', { class: 'digits' });
    this.over = element('span', { class: 'over' });
    this.overIcon = icon('alert');
    setAttribute(this.timer.value, 'id', 'countdown');
    setAttribute(this.timer.value, 'role', 'timer');
    setAttribute(this.timer.value, 'class', 'value');
    this.timer.value.append(this.overIcon, this.digits, this.over);
    this.money = new Vital('money');
    setAttribute(this.money.value, 'id', 'cost');

    this.append(
      element(
        'div',
        { class: 'what' },
        element('p', { class: 'badges' }, this.severity, this.drill, this.real, this.phase, this.elapsed, this.services),
        this.heading,
        this.now,
        this.trace,
      ),
      element('div', { class: 'vitals' }, this.sure.node, this.end.node, this.timer.node, this.money.node),
    );
  }

  /** @param {import('../model.js').View} view */
  update({ incident, history, hours }) {
    const open = incident.state === 'open';
    setAttribute(this, 'data-phase', incident.phase ?? '');
    setAttribute(this, 'data-state', incident.state);
    setAttribute(this, 'data-synthetic', incident.synthetic);
    setText(this.severity, incident.severity ?? '');
    show(this.severity, incident.severity !== null);
    setAttribute(this.severity, 'data-severity', incident.severity);
    show(this.drill, incident.synthetic);
    // Without its first event, nothing is known of an incident that is not a drill.
    show(this.real, !incident.synthetic && incident.severity !== null);
    setText(this.services, incident.services.join(' · '));
    setAttribute(this.services, 'title', incident.services.join(' · '));
    setText(this.heading, incident.title);
    setAttribute(this.heading, 'title', incident.title);

    const place = incident.phases.findIndex((phase) => phase.name === incident.phase);
    setIcon(this.phaseIcon, open ? openIcon(incident) : incident.state === 'resolved' ? 'check' : 'close');
    setText(this.phaseWord, words(open ? (incident.phase ?? 'open') : incident.state));
    setText(this.phasePlace, open && place >= 0 ? `${place + 1}/${incident.phases.length}` : '');
    this.#now(incident);
    this.#trace(history);
    this.#sure(incident);
    show(this.money.node, incident.cost !== null || incident.users_affected !== null);
  }

  #now({ now, resolution, agents }) {
    const watching = agents.length > 0 ? `${agents.length === 1 ? '1 agent watches' : `${agents.length} agents watch`}; none has acted yet` : 'Nothing was done so far';
    if (resolution) {
      setIcon(this.nowIcon, resolution.outcome === 'resolved' ? 'check' : 'close');
      setAttribute(this.now, 'data-status', resolution.outcome === 'resolved' ? 'done' : 'idle');
      setText(this.nowText, resolution.summary);
    } else if (now) {
      const word = NOW_WORD[now.status];
      setIcon(this.nowIcon, NOW_ICON[now.status]);
      setAttribute(this.now, 'data-status', word);
      setText(this.nowText, `${agentName(now.agent)}${word === 'done' ? '' : ` (${word})`}: ${now.summary}`);
    } else {
      setIcon(this.nowIcon, 'idle');
      setAttribute(this.now, 'data-status', 'idle');
      setText(this.nowText, watching);
    }
    setAttribute(this.now, 'title', this.nowText.textContent);
  }

  /** Failed attempts stay on screen: "3 × restart pool failed · promote replica helped". */
  #trace(history) {
    const { failed, helped, others } = Attempts.of(history);
    const named = failed.slice(-NAMED);
    const more = failed.slice(0, -NAMED).reduce((sum, { times }) => sum + times, others);
    const texts = named.map(({ action, times }) => `${times > 1 ? `${times} × ` : ''}${lower(action)} failed`);
    if (more > 0) texts.unshift(`${more} more failed`);
    const [failures, help] = this.trace.children;
    setText(failures, texts.join(' · '));
    setText(help, helped === null ? '' : `${lower(helped.action)} helped`);
    setAttribute(help, 'title', helped?.summary);
    show(failures, texts.length > 0);
    show(help, helped !== null);
    show(this.trace, texts.length > 0 || helped !== null);
    setAttribute(this.trace, 'title', [failures, help].map(({ textContent }) => textContent).filter(Boolean).join(' · ') || null);
  }

  #sure(incident) {
    const { leading, next, proved } = leadersOf(incident);
    // A real incident may never have any.
    show(this.sure.node, leading !== null || expects(incident));
    setAttribute(this.sure.node, 'data-empty', leading === null);
    this.sure.name(proved ? 'Root cause, proved' : 'Leading cause');
    if (leading === null) {
      this.sure.say('Unknown', incident.resolution ? 'No cause was named' : 'No cause is suspected', '');
      return;
    }
    this.sure.say(percent(leading.p), leading.claim, next === null ? '' : `Next ${percent(next.p)}: ${next.claim}`);
  }

  #end(incident, { offset_s }, hours) {
    const { resolution, target_s, state } = incident;
    const forecast = endOf(incident);
    const open = state === 'open';
    show(this.end.node, open ? forecast !== null || expects(incident) : resolution !== null);
    setAttribute(this.end.node, 'data-empty', open && forecast === null);
    if (!open) {
      this.end.name(state === 'resolved' ? 'Took' : 'Cancelled after');
      const took = resolution?.durations.resolve_s ?? incident.offset_s;
      this.end.say(clock(took, hours), forecast && state === 'resolved' ? judged(forecast, took, hours) : '', '');
      return;
    }
    this.end.name('Expected end');
    if (forecast === null) {
      this.end.say('Unknown', 'No forecast yet', 'An agent will make one');
      return;
    }
    const { low, middle, high, spread } = forecast;
    const past = `${clock(middle, hours)} has passed`;
    setAttribute(this.end.node, 'data-empty', offset_s > high);
    if (offset_s > high) return this.end.say('Overdue', past, spread ? 'Only 10% take as long' : '');
    // What is left of the forecast is its upper half.
    if (offset_s > middle) return this.end.say(`by ${clock(high, hours)}`, past, '10% take longer');
    const range = spread ? `80%${hours ? '' : ' sure'}: ${clock(low, hours)}–${clock(high, hours)}` : 'no range given';
    this.end.say(clock(middle, hours), range, target_s === null ? '' : against(middle, target_s));
  }

  /** @param {import('../model.js').View} view */
  tick({ incident, moment, hours, frozen }) {
    const open = incident.state === 'open';
    const asOf = frozen && open;
    setText(this.elapsed, elapsed(incident, stamp(moment.offset_s, hours), asOf));
    setAttribute(this.elapsed, 'data-frozen', asOf);
    setAttribute(this, 'data-breached', moment.breached && incident.state !== 'cancelled');
    setAttribute(this.timer.value, 'data-hours', hours);
    this.#end(incident, moment, hours);
    this.#timer(incident, moment, hours);
    this.#money(incident, moment, hours);
  }

  #timer({ state, target_s, impact_started_at }, { offset_s, remaining_s, breached }, hours) {
    const open = state === 'open';
    // How long an ended incident took stands beside. Without the first event of an incident, its start is not known.
    show(this.timer.node, target_s !== null || (open && impact_started_at !== null));
    const counts = open && target_s !== null;
    if (target_s === null) {
      this.timer.name('Since the start');
      setText(this.digits, clock(offset_s, hours));
    } else if (counts) {
      this.timer.name(`${breached ? 'Past' : 'To'} target ${clock(target_s, hours)}`);
      setText(this.digits, countdown(remaining_s, breached, hours));
    } else {
      this.timer.name('Target');
      setText(this.digits, clock(target_s, hours));
    }
    setText(this.timer.first, !open && target_s !== null ? outcome(state, remaining_s, breached) : '');
    setText(this.over, counts && breached ? ' over' : '');
    setAttribute(this.overIcon, 'hidden', !breached || (!open && state !== 'resolved'));
  }

  #money(incident, { cost, projection }, hours) {
    const open = incident.state === 'open';
    const users = open ? incident.users_affected : incident.users_peak;
    const people = users === null ? '' : `${short(users)} users${open ? '' : ' at the peak'}`;
    if (!cost) {
      this.money.name('Users');
      this.money.say(users === null ? '–' : compact(users), '', '');
      return;
    }
    const { currency, total, per_minute } = cost;
    this.money.name(open ? 'Cost so far' : 'Total cost');
    const rate = open ? `+${cashShort(per_minute, currency)}/min` : '';
    const expected = open ? projected(projection, hours) : '';
    this.money.say(cashShort(total, currency), [rate, people].filter(Boolean).join(' · '), expected);
    setAttribute(this.money.first, 'title', [rate, users !== null && `${count(users)} users`].filter(Boolean).join(' · '));
    setAttribute(this.money.second, 'title', open ? projectedTitle(projection, hours) : null);
  }
}

/** One number of the headline: its name, the value, and up to two lines that explain it. */
class Vital {
  constructor(kind) {
    this.label = element('span', { class: 'label' });
    this.value = element('span', { class: 'value digits' });
    this.first = element('span', { class: 'sub first' });
    this.second = element('span', { class: 'sub second' });
    this.node = element('div', { class: `vital ${kind}` }, this.label, this.value, this.first, this.second);
  }

  name(text) {
    setText(this.label, text);
  }

  say(value, first, second) {
    setText(this.value, value);
    setAttribute(this.value, 'data-long', value.length > 8);
    setText(this.first, first);
    setAttribute(this.first, 'title', first || null);
    this.explain(second);
  }

  explain(text) {
    setText(this.second, text);
    setAttribute(this.second, 'title', text || null);
  }
}

/** Whether causes and forecasts are still to come: the plan of a scenario has agents. Drills of receivers have no plan. */
function expects({ phases, agents, state }) {
  return state === 'open' && phases.length > 0 && agents.length > 0;
}

function openIcon({ phase }) {
  return phase === null ? 'working' : phaseIcon(phase);
}

function lower(name) {
  return words(name).toLowerCase();
}

/** How a forecast compares with the target. */
function against(middle, target_s) {
  const spare = target_s - middle;
  if (Math.abs(spare) < 0.5) return 'On target';
  return `${duration(Math.round(Math.abs(spare)))} ${spare > 0 ? 'before' : 'after'} target`;
}

/** How good a forecast was. */
function judged({ low, middle, high, spread }, took, hours) {
  const where = spread ? (took >= low && took <= high ? ', in its range' : ', out of its range') : '';
  return `Forecast ${clock(middle, hours)}${where}`;
}

function outcome(state, remaining_s, breached) {
  if (state !== 'resolved') return 'Not reached: cancelled';
  if (breached) return `Missed by ${duration(Math.round(-remaining_s))}`;
  return remaining_s >= 1 ? `Met, ${duration(Math.floor(remaining_s))} to spare` : 'Met';
}

function elapsed({ state, target_s, impact_started_at }, at, asOf) {
  if (asOf) return `as of ${at}`;
  if (state !== 'open') return impact_started_at === null ? '' : `began ${timeOfDay(impact_started_at)}`;
  // Without a target, the large clock shows the time since the start.
  if (target_s !== null) return at;
  return impact_started_at === null ? '' : `began ${timeOfDay(impact_started_at)}`;
}

/** The range in which the cost at the end will be. */
function projected(projection, hours) {
  if (!projection?.cost) return '';
  const { cost, currency, end_s, by } = projection;
  if (cost.low === cost.high) return `≈ ${cashShort(cost.middle, currency)} by ${clock(end_s.middle, hours)}`;
  return `≈ ${cashAbout(cost.low, currency)}–${cashAbout(cost.high, currency)} ${by === 'forecast' ? 'at the end' : 'by the plan'}`;
}

/** What the projected cost rests on. */
function projectedTitle(projection, hours) {
  if (!projection?.cost) return null;
  const { cost, currency, end_s, by } = projection;
  const range = `${cashShort(cost.low, currency)} to ${cashShort(cost.high, currency)}`;
  const end = `${by === 'forecast' ? 'the forecast of' : 'the planned end at'} ${clock(end_s.middle, hours)}`;
  return `${cashShort(cost.middle, currency)} at the end, or ${range}: by ${end} and the phases to come`;
}

customElements.define('headline-panel', Headline);
