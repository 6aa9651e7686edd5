// Owns the status line for screen readers (phase, missed target, end, connection, triggers, additions) and the title of the page.

import { element, setText, setTitle } from '../dom.js';
import { clock, countdown, words } from '../format.js';

const CONNECTION = { reconnecting: 'Connection lost. Numbers are frozen.', live: 'Connected.' };

class Announcer extends HTMLElement {
  connectedCallback() {
    this.line = element('p', { class: 'unseen', role: 'status' });
    this.append(this.line);
  }

  /** @param {import('../model.js').View} view */
  update({ connection, newest: incident, tabs, triggered, draft, mode, hours }) {
    if (connection.state !== this.connection && this.connection && CONNECTION[connection.state])
      this.#say(CONNECTION[connection.state]);
    this.connection = connection.state;
    if (triggered && triggered !== this.triggered) this.#say(triggered.text);
    this.triggered = triggered;
    if (draft?.state === 'added' && this.draft === draft && this.draftState !== 'added') this.#say('Added.');
    this.draft = draft;
    this.draftState = draft?.state;
    for (const { id, title, state } of tabs) {
      if (state === 'open' && this.known && !this.known.has(id) && id !== incident?.id)
        this.#say(`New incident: ${title}.`);
    }
    this.known = new Set(tabs.map(({ id }) => id));
    const before = this.shown;
    this.shown = incident && {
      id: incident.id,
      phase: incident.phase,
      state: incident.state,
      breached: before?.id === incident.id && before.breached,
    };
    if (incident && before?.id !== incident.id)
      this.#say(`${incident.severity ?? ''} ${incident.title}.${incident.phase === null ? '' : ` Phase ${incident.phase}.`}`);
    else if (incident && before.state !== incident.state) {
      this.#say(
        `Incident ${incident.state} after ${clock(incident.resolution?.durations.resolve_s ?? incident.offset_s, hours)}.`,
      );
    } else if (incident && before.phase !== incident.phase) this.#say(`Phase ${words(incident.phase ?? '')}.`);
    if (mode !== 'incident') setTitle('incident');
  }

  /** @param {import('../model.js').View} view */
  tick({ newest: incident, present: moment, hours, frozen }) {
    if (!incident || !moment) return;
    if (moment.breached && !this.shown.breached && incident.state === 'open') {
      this.#say(`The target of ${clock(incident.target_s, hours)} is missed.`);
      this.shown.breached = true;
    }
    // The title is visible while the tab is in the background.
    const time =
      moment.remaining_s === null
        ? clock(moment.offset_s, hours)
        : `${countdown(moment.remaining_s, moment.breached, hours)}${moment.breached ? ' over' : ''}`;
    const title =
      incident.state === 'open'
        ? `${frozen ? 'offline' : `${words(incident.phase ?? 'open')} ${time}`} · ${incident.title}`
        : `${words(incident.state)} · ${incident.title}`;
    setTitle(title);
  }

  #say(text) {
    setText(this.line, text.trim());
  }
}

customElements.define('page-announcer', Announcer);
