// Owns the status line for screen readers, which says key moments in whole sentences (they can be switched off), and the page's title.

import { element, setText, setTitle } from '../dom.js';
import { clock, countdown, words } from '../format.js';
import { introduction, missed, momentsBetween, snapshot } from '../moments.js';
import { isOn } from '../preferences.js';

const CONNECTION = { reconnecting: 'Connection lost. Numbers are frozen.', live: 'Connected.' };

class Announcer extends HTMLElement {
  connectedCallback() {
    /** @type {string[]} */
    this.said = [];
    this.line = element('p', { class: 'unseen', role: 'status' });
    this.append(this.line);
  }

  /** @param {import('../model.js').View} view */
  update({ connection, newest: incident, tabs, triggered, draft, mode }) {
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
    this.shown = incident && { ...snapshot(incident), breached: before?.id === incident.id && before.breached };
    if (incident && before?.id !== incident.id) this.#say(introduction(incident));
    else if (incident && isOn('moments')) for (const moment of momentsBetween(before, incident)) this.#say(moment);
    if (mode !== 'incident') setTitle('incident');
  }

  /** @param {import('../model.js').View} view */
  tick(view) {
    this.#passes(view);
    // What happens in one frame is said together: a later sentence would take the place of an earlier one.
    const said = this.said.splice(0);
    if (said.length > 0) setText(this.line, said.join(' '));
  }

  /**
   * What time alone brings.
   * @param {import('../model.js').View} view
   */
  #passes({ newest: incident, present: moment, hours, frozen, mode }) {
    if (!incident || !moment) return;
    if (moment.breached && !this.shown.breached && incident.state === 'open') {
      if (isOn('moments')) this.#say(missed(incident.target_s));
      this.shown.breached = true;
    }
    if (mode !== 'incident') return;
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
    this.said.push(text.trim());
  }
}

customElements.define('page-announcer', Announcer);
