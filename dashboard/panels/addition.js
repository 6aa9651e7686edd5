// Owns the form with which a person adds a note or an action to an open incident, and the button that opens it.

import { element, setAttribute, setText, show } from '../dom.js';
import { icon, setIcon } from '../icons.js';

/** In the order of the form. */
const KINDS = [
  ['note', 'Note'],
  ['completed', 'Action done'],
  ['in_progress', 'Action begun'],
  ['failed', 'Action failed'],
];
const NO_NAME = 'Write your name: others see who added it.';
const NO_TEXT = 'Write what happened, or what you did.';
const LONGEST_NAME = 40;
const LONGEST_TEXT = 500;

class AdditionForm extends HTMLElement {
  /** The feed puts it into its header. */
  button = element(
    'button',
    { id: 'add', type: 'button', hidden: true, 'aria-expanded': 'false', 'aria-controls': 'addition' },
    icon('plus'),
    element('span', {}, 'Add', element('span', { class: 'more' }, ' note')),
  );
  #opened = false;
  /** @type {import('../model.js').View | null} */
  #view = null;
  /** What the person has left out. */
  #missing = '';

  connectedCallback() {
    this.name = element('input', {
      id: 'addition-name',
      type: 'text',
      maxlength: LONGEST_NAME,
      autocomplete: 'nickname',
      spellcheck: 'false',
    });
    this.kind = element(
      'select',
      { id: 'addition-kind' },
      ...KINDS.map(([value, word]) => element('option', { value }, word)),
    );
    this.text = element('input', {
      id: 'addition-text',
      type: 'text',
      maxlength: LONGEST_TEXT,
      autocomplete: 'off',
      enterkeyhint: 'send',
    });
    this.submit = element('button', { class: 'primary' }, 'Add');
    this.hint = element('span', { class: 'hint' });
    this.glyph = element('span');
    this.wrong = element('span');
    this.problem = element('span', { id: 'addition-problem', class: 'problem', role: 'alert' }, this.glyph, this.wrong);
    this.form = element(
      'form',
      { id: 'addition', 'aria-label': 'Add to this incident', hidden: true },
      field('Your name', this.name),
      field('Kind', this.kind),
      field('What happened', this.text),
      this.submit,
      element('p', { class: 'said' }, this.hint, this.problem),
    );
    // The page says what is missing, in the place of its other messages.
    this.form.noValidate = true;
    this.unsent = element('span');
    this.closed = element(
      'p',
      { id: 'addition-closed', tabindex: '-1', hidden: true },
      'The incident has ended: nothing more can be added. ',
      this.unsent,
    );
    this.append(this.form, this.closed);
    setAttribute(this.button, 'title', 'Add a note or an action to this incident');
    this.button.addEventListener('click', () => this.#show(!this.#opened));
    this.form.addEventListener('input', () => this.#typed());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.form.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      this.#show(false);
      this.button.focus();
    });
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    const { newest: incident, draft, author, mayWrite } = view;
    const open = mayWrite && incident.state === 'open';
    if (this.#view?.incident.id !== incident.id) {
      this.#missing = '';
      // What was written before a reload is not hidden.
      this.#opened ||= draft.text !== '';
    }
    this.#view = view;
    for (const [input, value] of [[this.name, author], [this.kind, draft.kind], [this.text, draft.text]]) {
      if (input.value !== value) input.value = value;
    }
    const wasHere = this.form.contains(document.activeElement);
    const ended = mayWrite && !open && (this.#opened || draft.text !== '');
    show(this.button, open);
    setAttribute(this.button, 'aria-expanded', String(this.#opened));
    show(this.form, open && this.#opened);
    show(this.closed, ended);
    setText(this.unsent, draft.text === '' ? '' : `Not added: “${draft.text}”`);
    if (wasHere && ended) this.closed.focus();
    this.#say();
  }

  #say() {
    const { newest: incident, draft: { state, problem } } = this.#view;
    const sending = state === 'sending';
    for (const input of [this.name, this.text]) setAttribute(input, 'readonly', sending);
    setAttribute(this.kind, 'disabled', sending);
    // A disabled button would lose the focus.
    setAttribute(this.submit, 'aria-disabled', sending && 'true');
    setText(this.submit, state === 'failed' || state === 'waiting' ? 'Try again' : 'Add');
    const wrong = this.#missing || wrongOf(state, problem);
    const idle = `Everyone who follows this ${incident.synthetic ? 'drill' : 'incident'} sees it.`;
    const hint = sending ? 'Sending …' : state === 'added' ? 'Added.' : idle;
    setText(this.hint, wrong ? '' : hint);
    // The alert is read out when it gets its text, and not again for each further attempt.
    setText(this.wrong, wrong);
    if (wrong === '') this.glyph.replaceChildren();
    else setIcon(this.glyph, 'alert');
    setAttribute(this.name, 'aria-invalid', this.#missing === NO_NAME && 'true');
    setAttribute(this.text, 'aria-invalid', wrong !== '' && this.#missing !== NO_NAME && 'true');
    for (const input of [this.name, this.text]) setAttribute(input, 'aria-describedby', wrong && this.problem.id);
  }

  #show(opened) {
    this.#opened = opened;
    setAttribute(this.button, 'aria-expanded', String(opened));
    show(this.form, opened);
    if (!opened) return;
    (this.name.value.trim() === '' ? this.name : this.text).focus();
    // On a phone the field may be in sight, and its button not.
    this.form.scrollIntoView({ block: 'nearest' });
  }

  #typed() {
    this.#missing = '';
    this.#ask('addition-write', { name: this.name.value, kind: this.kind.value, text: this.text.value });
    this.#say();
  }

  #send() {
    const [first] = [[this.name, NO_NAME], [this.text, NO_TEXT]].filter(([input]) => input.value.trim() === '');
    this.#missing = first?.[1] ?? '';
    if (first) {
      first[0].focus();
      this.#say();
    } else {
      this.#ask('addition-send', {});
    }
  }

  #ask(type, typed) {
    const detail = { id: this.#view.incident.id, typed };
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}

function field(label, input) {
  return element('label', { class: 'field', for: input.id }, element('span', { class: 'label' }, label), input);
}

function wrongOf(state, problem) {
  if (problem === '') return '';
  const sentence = `${problem[0].toUpperCase()}${problem.slice(1)}${/[.!?]$/.test(problem) ? '' : '.'}`;
  return state === 'failed' ? `Not added: ${sentence}` : `Not added yet: ${sentence} Trying again …`;
}

customElements.define('addition-form', AdditionForm);
