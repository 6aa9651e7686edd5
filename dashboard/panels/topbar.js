// Owns the state of the connection: the pill in the top bar, the result of a reconnect, and the alert.

import { element, setAttribute, setText, show } from '../dom.js';
import { count, duration } from '../format.js';
import { icon, setIcon } from '../icons.js';
import { howMany, server } from '../servers.js';

const STATES = {
  connecting: { icon: 'reconnect', word: 'Connecting' },
  live: { icon: 'detect', word: 'Live' },
  reconnecting: { icon: 'reconnect', word: 'Reconnecting' },
  gone: { icon: 'alert', word: 'No server' },
};

class ConnectionStatus extends HTMLElement {
  connectedCallback() {
    this.glyph = element('span');
    this.word = element('span');
    this.pill = element('span', { id: 'connection', class: 'pill' }, this.glyph, this.word);
    this.detail = element('span', { class: 'detail muted digits' });
    this.behindText = element('span', { class: 'digits' });
    this.behindAgo = element('span', { class: 'digits ago' });
    this.behindBar = element('progress', { 'aria-label': 'Events received' });
    this.behind = element('span', { id: 'behind', hidden: true }, element('span', {}, this.behindText, this.behindAgo), this.behindBar);
    this.how = element('span', { class: 'how' });
    this.lost = element('span');
    const back = element('span', { class: 'back' }, 'back', this.how, ' · ');
    this.recovery = element('span', { id: 'recovery', hidden: true }, element('span'), element('span', {}, back, this.lost));
    this.alertText = element('span');
    this.alert = element('div', { class: 'alert', role: 'alert' });
    this.append(this.pill, this.behind, this.detail, this.recovery, this.alert);
  }

  /** @param {import('../model.js').View} view */
  update({ connection, behind, scrub }) {
    this.connection = connection;
    const { state, paused, unreadable, unknown, position, url } = connection;
    const shown = shownState(connection, behind, scrub);
    setIcon(this.glyph, shown.icon);
    setText(this.word, shown.word);
    setAttribute(this.pill, 'data-state', shown.state);
    this.#behind(behind);
    const bad =
      unreadable > 0 ? `${count(unreadable)} unreadable ${unreadable === 1 ? 'message' : 'messages'} ignored` : '';
    const newer = unknown > 0 ? `${count(unknown)} ${unknown === 1 ? 'event' : 'events'} of an unknown type` : '';
    setAttribute(
      this.pill,
      'title',
      [url, position && `at ${position.stream}/${position.last}`, paused && `paused: ${paused}`, bad, newer]
        .filter(Boolean)
        .join(' · '),
    );
    const where = howMany() > 1 && server().host;
    setText(this.detail, [where, paused !== null && state === 'live' && `paused: ${paused}`, bad, newer].filter(Boolean).join(' · '));
    if (state !== 'live') show(this.recovery, false);
    this.#alert();
    // While the server is gone, only the attempts change.
    clearInterval(this.timer);
    if (state === 'gone') this.timer = setInterval(() => this.#alert(), 1000);
  }

  /** @param {import('../stream.js').Recovery} recovery */
  recovered({ seconds, replayed, lost }) {
    const end = lost === null ? 'new log' : `lost ${count(lost)}`;
    setIcon(this.recovery.firstElementChild, lost === 0 ? 'check' : 'alert');
    setText(this.how, ` after ${duration(seconds)} · replayed ${count(replayed)}`);
    setText(this.lost, end);
    setAttribute(this.recovery, 'data-replayed', replayed);
    setAttribute(this.recovery, 'data-lost', lost ?? 'unknown');
    setAttribute(
      this.recovery,
      'title',
      lost === null
        ? 'The server has a new log. Events shown before are not part of it.'
        : lost > 0
          ? 'The server no longer has these events.'
          : 'Every event since the connection broke was replayed.',
    );
    show(this.recovery, true);
  }

  /** What is shown while the page is behind is the past, and says so. */
  #behind(behind) {
    show(this.behind, behind !== null);
    if (behind === null) return;
    const { seconds, done, total } = behind;
    const ago = `${duration(seconds)} behind`;
    setText(this.behindText, done < total ? `${count(done)} of ${count(total)}` : ago);
    setText(this.behindAgo, done < total ? ` · ${ago}` : '');
    setAttribute(this.behindBar, 'max', total);
    setAttribute(this.behindBar, 'value', done);
    show(this.behindBar, done < total);
  }

  /** Screen readers read the alert once. The number of attempts changes silently. */
  #alert() {
    const { state, url, attempt, downSince, reason, position, logInAt } = this.connection;
    if (state !== 'gone') {
      this.alert.replaceChildren();
      return;
    }
    if (!this.alert.firstElementChild) {
      this.alert.append(
        icon('alert'),
        element('strong', {}, 'The server cannot be reached.'),
        element('span'),
        element('span', { 'aria-live': 'off', class: 'digits' }),
        element('a', { hidden: true }),
      );
    }
    const [, , why, trying, logIn] = this.alert.children;
    show(logIn, logInAt !== null);
    setAttribute(logIn, 'href', logInAt ?? '');
    setText(logIn, logInAt === null ? '' : `Log in at ${new URL(logInAt).host} to go on there.`);
    setText(
      why,
      `${reason ? `${reason[0].toUpperCase()}${reason.slice(1)}; ` : ''}trying ${url}${position ? ` from position ${position.last}` : ''}.`,
    );
    setText(
      trying,
      `Attempt ${count(attempt)}, without a connection for ${duration(Math.round((performance.now() - downSince) / 1000)).replace('.0', '')}`,
    );
  }
}

/** "Live" is only what shows the present. */
function shownState({ state, paused }, behind, scrub) {
  if (state !== 'live') return { ...STATES[state], state };
  if (paused !== null) return { icon: 'alert', word: 'Server paused', state: 'paused' };
  if (behind !== null) return { icon: 'reconnect', word: 'Catching up', state: 'behind' };
  if (scrub?.playing) return { icon: 'play', word: 'Replay', state: 'scrubbed' };
  if (scrub !== null) return { icon: 'pause', word: 'Paused', state: 'scrubbed' };
  return { ...STATES.live, state };
}

customElements.define('connection-status', ConnectionStatus);
