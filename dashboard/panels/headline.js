// Owns the headline: the incident in one sentence, and its moving numbers: phase, countdown or time since the start, cost.

import { element, setAttribute, setText, show } from '../dom.js';
import { agentName, cash, cashShort, clock, countdown, duration, stamp, timeOfDay, words } from '../format.js';
import { icon, phaseIcon, setIcon } from '../icons.js';

const NOW_ICON = { in_progress: 'working', completed: 'check', failed: 'alert' };
const NOW_WORD = { in_progress: 'working', completed: 'done', failed: 'failed' };

class Headline extends HTMLElement {
  connectedCallback() {
    this.severity = element('span', { class: 'badge severity' });
    this.drill = element('span', { class: 'badge drill', title: 'Simulated. This is not a real incident.' }, 'DRILL');
    this.real = element('span', { class: 'badge real', title: 'A real incident, told by its publishers.' }, 'REAL INCIDENT');
    this.services = element('span', { class: 'services' });
    this.heading = element('h2', { class: 'title' });
    this.nowIcon = element('span', { class: 'status-icon' });
    this.nowText = element('span');
    this.now = element('p', { class: 'now' }, this.nowIcon, this.nowText);

    this.phaseLabel = element('span', { class: 'label' }, 'Phase');
    this.phaseIcon = element('span');
    this.phaseWord = element('span', { class: 'word' });
    this.elapsed = element('span', { class: 'digits sub' });

    this.timerLabel = element('span');
    this.timerAsOf = element('span', { class: 'as-of' });
    this.digits = element('span', { class: 'digits' });
    this.over = element('span', { class: 'over' });
    this.overIcon = icon('alert');
    this.timer = element('span', { id: 'countdown', role: 'timer' }, this.overIcon, this.digits, this.over);

    this.costLabel = element('span');
    this.costAsOf = element('span', { class: 'as-of' });
    this.cost = element('span', { id: 'cost', class: 'digits' });
    this.rate = element('span', { class: 'rate' });
    this.projected = element('span', { class: 'projected' });

    this.append(
      element(
        'div',
        { class: 'what' },
        element('p', { class: 'badges' }, this.severity, this.drill, this.real, this.services),
        this.heading,
        this.now,
      ),
      element(
        'div',
        { class: 'vitals' },
        element(
          'div',
          { class: 'vital stage' },
          this.phaseLabel,
          element('span', { class: 'phase-name' }, this.phaseIcon, this.phaseWord),
          this.elapsed,
        ),
        element(
          'div',
          { class: 'vital timer' },
          element('span', { class: 'label' }, this.timerLabel, this.timerAsOf),
          this.timer,
        ),
        element(
          'div',
          { class: 'vital money' },
          element('span', { class: 'label' }, this.costLabel, this.costAsOf),
          this.cost,
          element('span', { class: 'sub' }, this.rate, this.projected),
        ),
      ),
    );
  }

  /** @param {import('../model.js').View} view */
  update({ incident }) {
    setAttribute(this, 'data-phase', incident.phase ?? '');
    setAttribute(this, 'data-state', incident.state);
    setText(this.severity, incident.severity ?? '');
    show(this.severity, incident.severity !== null);
    setAttribute(this.severity, 'data-severity', incident.severity);
    show(this.drill, incident.synthetic);
    // Without its first event, nothing is known of an incident that is not a drill.
    show(this.real, !incident.synthetic && incident.severity !== null);
    setText(this.services, incident.services.join(' · '));
    setText(this.heading, incident.title);
    setAttribute(this.heading, 'title', incident.title);
    this.#now(incident);

    const place = incident.phases.findIndex((phase) => phase.name === incident.phase);
    const open = incident.state === 'open';
    setText(this.phaseLabel, phaseLabel(incident, open, place));
    setIcon(this.phaseIcon, open ? openIcon(incident) : incident.state === 'resolved' ? 'check' : 'close');
    setText(this.phaseWord, words(open ? (incident.phase ?? 'open') : incident.state));
    setAttribute(this.cost, 'data-long', (incident.cost?.total ?? 0) >= 1e6);
    show(this.cost.parentElement, incident.cost !== null);
  }

  #now({ now, resolution }) {
    show(this.now, now !== null || resolution !== null);
    if (resolution) {
      setIcon(this.nowIcon, resolution.outcome === 'resolved' ? 'check' : 'close');
      setAttribute(this.now, 'data-status', resolution.outcome === 'resolved' ? 'done' : 'idle');
      setText(this.nowText, resolution.summary);
    } else if (now) {
      setIcon(this.nowIcon, NOW_ICON[now.status]);
      setAttribute(this.now, 'data-status', NOW_WORD[now.status]);
      setText(
        this.nowText,
        `${agentName(now.agent)} ${NOW_WORD[now.status] === 'done' ? '' : `(${NOW_WORD[now.status]})`}: ${now.summary}`.replace(
          ' :',
          ':',
        ),
      );
    }
    setAttribute(this.now, 'title', this.nowText.textContent);
  }

  /** @param {import('../model.js').View} view */
  tick({ incident, moment, hours, frozen }) {
    const open = incident.state === 'open';
    const at = stamp(moment.offset_s, hours);
    const asOf = frozen && open ? `as of ${at}` : '';
    setText(this.elapsed, asOf || (incident.target_s === null ? beganAt(incident) : at));
    setAttribute(this, 'data-breached', moment.breached && incident.state !== 'cancelled');
    setText(this.timerAsOf, asOf && ` · ${asOf}`);
    setText(this.costAsOf, asOf && ` · ${asOf}`);
    setAttribute(this.timer, 'data-hours', hours);
    // Without the first event of an incident, its start is not known.
    show(this.timer.parentElement, incident.target_s !== null || incident.impact_started_at !== null);
    if (incident.target_s === null || !open) this.#countUp(incident, moment, hours);
    else this.#countdown(incident, moment, hours);
    if (!moment.cost) return;
    const { currency, total, per_minute } = moment.cost;
    setText(this.costLabel, open ? 'Cost so far' : 'Total cost');
    setText(this.cost, cash(total, currency));
    setText(this.rate, open ? `+${cash(per_minute, currency)}/min` : '');
    setText(
      this.projected,
      moment.projected === null ? '' : `≈ ${cashShort(moment.projected, currency)} at ${clock(moment.end_s, hours)}`,
    );
    setAttribute(this.projected, 'title', projectedTitle(moment.projection, hours));
  }

  #countdown({ target_s }, { remaining_s, breached }, hours) {
    const target = `target ${clock(target_s, hours)}`;
    setText(this.timerLabel, `${breached ? 'Past' : 'To'} ${target}`);
    setText(this.digits, countdown(remaining_s, breached, hours));
    setText(this.over, breached ? ' over' : '');
    setAttribute(this.overIcon, 'hidden', !breached);
  }

  /** Without a target there is nothing to count down to, and after the end nothing runs: then it says how long it took. */
  #countUp({ state, target_s }, { offset_s, remaining_s, breached }, hours) {
    const target = target_s === null ? '' : `target ${clock(target_s, hours)}`;
    // A cancelled incident was not resolved in time, however early it was cancelled.
    const missed = state === 'resolved' && breached;
    const verdict =
      state !== 'resolved' || target_s === null
        ? ''
        : missed
          ? `${duration(Math.ceil(-remaining_s - 1e-6))} over`
          : remaining_s >= 1
            ? `${duration(Math.floor(remaining_s))} to spare`
            : 'on time';
    const label = state === 'open' ? 'Since the start' : state === 'resolved' ? 'Resolved in' : `${words(state)} after`;
    setText(this.timerLabel, [label, target, verdict].filter(Boolean).join(' · '));
    setText(this.digits, clock(offset_s, hours));
    setText(this.over, '');
    setAttribute(this.overIcon, 'hidden', !missed);
  }
}

function phaseLabel({ phase, phases }, open, place) {
  if (!open || phase === null) return 'State';
  return place < 0 ? 'Phase' : `Phase ${place + 1} of ${phases.length}`;
}

/** What the projected cost rests on. */
function projectedTitle(projection, hours) {
  if (!projection?.cost) return null;
  const { cost, currency, end_s, by } = projection;
  const range = `${cashShort(cost.low, currency)} to ${cashShort(cost.high, currency)}`;
  const end = `${by === 'forecast' ? 'the forecast of' : 'the planned end at'} ${clock(end_s.middle, hours)}`;
  return `${range}, by ${end} and the phases to come`;
}

function openIcon({ phase }) {
  return phase === null ? 'working' : phaseIcon(phase);
}

/** The clock next to it already shows the time since the start. */
function beganAt({ impact_started_at }) {
  return impact_started_at === null ? '' : `began ${timeOfDay(impact_started_at)}`;
}

customElements.define('headline-panel', Headline);
