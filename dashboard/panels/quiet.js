// Owns the quiet page: no incident is open. It shows how to start a scenario and the result of the last incident.

import { element, setText, show } from '../dom.js';
import { count, notListed } from '../format.js';
import { icon } from '../icons.js';
import { serverFlags } from '../terminal.js';
import { resultOf } from './result.js';
import './scenarios.js';

class Quiet extends HTMLElement {
  /**
   * The content exists only while it is shown, so that the page has one button per scenario.
   * @param {import('../model.js').View} view
   */
  update(view) {
    if (view.mode !== 'quiet') {
      this.built?.remove();
      return;
    }
    this.built ??= this.#build();
    if (!this.built.isConnected) this.append(this.built);
    const { connection, session, mayWrite, last } = view;
    const scenarios = mayWrite ? view.scenarios : [];
    setText(
      this.standing,
      connection.position
        ? `Listening to stream ${connection.position.stream}: ${count(connection.position.last)} events so far.`
        : '',
    );
    show(this.choose, scenarios?.length > 0);
    const example = scenarios?.find(({ id }) => id === 'database-outage') ?? scenarios?.[0];
    const command = example ? `trigger ${example.id}` : 'watch';
    setText(this.command.firstElementChild, `incident ${command}${serverFlags(session)}`);
    this.picker.update(view, scenarios ?? []);
    setText(this.none, notListed(view.leftOut) || 'No incident is open. A new one will appear here.');
    this.#note(view);
    this.#last(last);
  }

  #build() {
    this.none = element('p');
    this.standing = element('p', { class: 'muted' });
    this.picker = element('scenario-picker');
    this.choose = element('h3', {}, 'Start a scenario');
    this.note = element('p', { class: 'note' });
    this.command = element('code', { class: 'command' }, element('span'));
    const copy = element(
      'button',
      { type: 'button', class: 'quiet-button' },
      icon('copy'),
      element('span', {}, 'Copy'),
    );
    copy.addEventListener('click', () => this.#copy(copy.lastElementChild));
    this.lastBox = element('div', { class: 'last' });
    return element(
      'div',
      { id: 'quiet', class: 'quiet' },
      element(
        'section',
        { class: 'hero' },
        element('span', { class: 'seal' }, icon('check')),
        element(
          'div',
          {},
          element('h2', {}, 'All quiet'),
          this.none,
          this.standing,
        ),
      ),
      this.lastBox,
      element(
        'section',
        { class: 'start' },
        this.choose,
        this.picker,
        this.note,
        element(
          'p',
          { class: 'shell' },
          element('span', { class: 'muted' }, 'From a terminal'),
          this.command,
          navigator.clipboard && copy,
        ),
      ),
    );
  }

  #note({ frozen, mayWrite, triggered }) {
    const gone = mayWrite ? 'Not connected. Scenarios can be started when the server is back.' : 'Not connected.';
    // A form says by itself what is wrong with it.
    const text = frozen ? gone : triggered?.of && triggered.failed ? '' : (triggered?.text ?? '');
    show(this.note, text !== '');
    setText(this.note, text);
    this.note.dataset.failed = String(frozen || Boolean(triggered?.failed));
  }

  #last(last) {
    const key = last ? `${last.id} ${last.index}` : '';
    if (this.lastKey === key) return;
    this.lastKey = key;
    show(this.lastBox, last !== null);
    this.lastBox.replaceChildren();
    if (!last) return;
    const open = element('button', { type: 'button', class: 'quiet-button' }, 'Show');
    open.addEventListener('click', () =>
      this.dispatchEvent(new CustomEvent('incident-select', { detail: last.id, bubbles: true })),
    );
    this.lastBox.append(
      element('h3', {}, 'Last result'),
      element('p', { class: 'title' }, last.title, ' ', element('span', { class: 'muted' }, last.id)),
      resultOf(last, { heading: 'h4' }, open),
    );
  }

  async #copy(label) {
    try {
      await navigator.clipboard.writeText(this.command.textContent);
      setText(label, 'Copied');
    } catch {
      setText(label, 'Not allowed');
    }
    setTimeout(() => {
      setText(label, 'Copy');
    }, 2000);
  }
}

customElements.define('quiet-panel', Quiet);
