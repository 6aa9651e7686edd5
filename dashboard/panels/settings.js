// Owns the form with the settings of a scenario: seed, speed, variant, and a field for each parameter that fits its kind.

import { VARIANT, choiceOf, commandOf } from '../choices.js';
import { entryOf } from '../contract.js';
import { element, setAttribute, setText, show } from '../dom.js';
import { duration } from '../format.js';
import { icon } from '../icons.js';

/** The largest seed is below this. */
const SEEDS = Number.MAX_SAFE_INTEGER;
/** Speeds that are offered; any other can be typed. */
const SPEEDS = [0.5, 1, 2, 5, 10, 20];

let forms = 0;

class SettingsForm extends HTMLElement {
  /** Each field: how it is read and set, by the JSON pointer that the server names it with. */
  #fields = new Map();
  /** The trigger that this form waits for. */
  #sent = null;
  /** @type {import('../api.js').Session | null | undefined} */
  #session = null;

  connectedCallback() {
    if (this.form) return;
    this.number = ++forms;
    this.back = element('button', { type: 'button', class: 'quiet-button' }, icon('left'), 'All scenarios');
    this.heading = element('h3', { class: 'settings-title' });
    this.problem = element('p', { class: 'problem', role: 'alert', hidden: true });
    this.fields = element('div', { class: 'settings-fields' });
    this.command = element('code', { class: 'terminal' });
    this.start = element('button', { type: 'submit', class: 'primary' }, icon('bolt'), element('span', {}, 'Start'));
    this.reset = element('button', { type: 'button' }, 'As the scenario says');
    this.form = element(
      'form',
      { class: 'settings', novalidate: true },
      element('div', { class: 'settings-head' }, this.back, this.heading),
      this.fields,
      this.problem,
      element('p', { class: 'shell' }, element('span', { class: 'muted' }, 'From a terminal'), this.command),
      element('div', { class: 'settings-foot' }, this.start, this.reset),
    );
    this.append(this.form);
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.form.addEventListener('input', (event) => {
      this.#complain(event.target.closest('[data-pointer]')?.dataset.pointer, '');
      // What was refused was said of what stood there before.
      this.#fail('');
      this.#describe();
    });
    this.form.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      event.preventDefault();
      this.#close();
    });
    this.back.addEventListener('click', () => this.#close());
    this.reset.addEventListener('click', () => {
      this.#set({});
      this.#describe();
    });
  }

  /**
   * Shows the settings of a scenario as they were chosen the last time.
   * @param {import('../api.js').Scenario} scenario
   */
  open(scenario) {
    this.scenario = scenario;
    this.#sent = null;
    this.#fields.clear();
    setText(this.heading, scenario.title ?? scenario.id);
    const { variants = [], parameters = [] } = scenario;
    this.fields.replaceChildren(
      ...(variants.length > 0 ? [this.#variants(variants)] : []),
      ...parameters.map((parameter) => this.#parameter(parameter)),
      this.#speed(),
      this.#seed(),
    );
    this.#set(choiceOf(scenario));
    this.#fail('');
    this.#describe();
  }

  focusFirst() {
    this.fields.querySelector('input:checked, input, select')?.focus();
  }

  /** @param {import('../model.js').View} view */
  update({ frozen, triggered, session }) {
    if (session !== this.#session) {
      this.#session = session;
      if (this.scenario) this.#describe();
    }
    setAttribute(this.start, 'disabled', frozen || this.#sent?.state === 'pending');
    setAttribute(this.start, 'title', frozen ? 'Not connected. No incident can be started.' : null);
    if (this.hidden || !this.#sent || triggered?.of !== this.#sent.of || triggered.state === this.#sent.state) return;
    this.#sent.state = triggered.state;
    if (triggered.state === 'started') this.#close();
    if (triggered.state !== 'failed') return;
    setAttribute(this.start, 'disabled', frozen);
    const placed = triggered.members.filter(({ pointer, detail }) => this.#complain(pointer, detail));
    if (placed.length === 0) this.#fail(triggered.text);
    else this.form.querySelector('[aria-invalid=true]')?.focus();
  }

  #submit() {
    this.#fail('');
    const unread = [...this.#fields].filter(([pointer, field]) => this.#complain(pointer, field.unread?.() ?? ''));
    if (unread.length > 0) return this.form.querySelector('[aria-invalid=true]')?.focus();
    const of = {};
    this.#sent = { of, state: 'pending' };
    const detail = { scenario: this.scenario.id, choice: this.#choice(), of };
    this.dispatchEvent(new CustomEvent('incident-trigger', { detail, bubbles: true }));
  }

  #close() {
    this.dispatchEvent(new CustomEvent('settings-close', { bubbles: true }));
  }

  /** @returns {import('../choices.js').Choice} */
  #choice() {
    const choice = {};
    const settings = [];
    for (const [pointer, { read }] of this.#fields) {
      const value = read();
      if (value === undefined) continue;
      const [, first, name] = pointer.split('/');
      if (name === undefined) choice[first] = value;
      else settings.push([unpointed(name), value]);
    }
    return settings.length > 0 ? { ...choice, settings: Object.fromEntries(settings) } : choice;
  }

  #set({ seed, speed, settings = {} }) {
    for (const [pointer, { write }] of this.#fields) {
      const [, first, name] = pointer.split('/');
      write(name === undefined ? { seed, speed }[first] : entryOf(settings, unpointed(name)));
      this.#complain(pointer, '');
    }
  }

  /** What the form would do, in words that change as it is filled. */
  #describe() {
    setText(this.command, commandOf(this.scenario.id, this.#choice(), this.#session));
    const speed = this.#choice().speed ?? 1;
    const takes = this.scenario.screen_s / speed;
    setText(this.pace, Number.isFinite(takes) && takes > 0 ? `It plays ${duration(takes)}.` : '');
  }

  #fail(text) {
    setText(this.problem, text);
    show(this.problem, text !== '');
  }

  /** Says what is wrong beside a field. @returns {boolean} whether there is something wrong with a field of this form */
  #complain(pointer, why) {
    const field = this.#fields.get(pointer);
    if (!field) return false;
    setText(field.error, why);
    show(field.error, why !== '');
    for (const control of field.controls) setAttribute(control, 'aria-invalid', why === '' ? null : 'true');
    return why !== '';
  }

  /** A field with its name, what it is about, and a place for what is wrong with it. */
  #field(pointer, { label, hint, box, controls, read, write, unread }) {
    const id = `settings-${this.number}-${this.#fields.size}`;
    const error = element('span', { class: 'field-problem', id: `${id}-problem`, hidden: true });
    const about = typeof hint === 'string' ? element('span', { class: 'hint' }, hint) : hint;
    about.id = `${id}-hint`;
    const [main] = controls;
    if (!main.id) main.id = id;
    for (const control of controls) setAttribute(control, 'aria-describedby', `${about.id} ${error.id}`);
    this.#fields.set(pointer, { read, write, unread, error, controls });
    return element(
      'div',
      { class: 'setting', 'data-pointer': pointer },
      element('label', { for: main.id }, label),
      box ?? main,
      about,
      error,
    );
  }

  #variants(variants) {
    const name = `variant-${this.number}`;
    const options = [{ name: '', about: 'The incident as it is written' }, ...variants];
    const radios = options.map((variant) => element('input', { type: 'radio', name, value: variant.name }));
    const error = element('span', { class: 'field-problem', hidden: true });
    this.#fields.set(`/settings/${VARIANT}`, {
      read: () => radios.find((radio) => radio.checked)?.value || undefined,
      write: (value) => radios.forEach((radio) => (radio.checked = radio.value === (value ?? ''))),
      error,
      controls: radios,
    });
    return element(
      'fieldset',
      { class: 'setting variants', 'data-pointer': `/settings/${VARIANT}` },
      element('legend', {}, 'Variant'),
      ...options.map((variant, place) =>
        element(
          'label',
          {},
          radios[place],
          element('span', {}, element('b', {}, variant.name || 'none'), variant.about && ` ${variant.about}`),
        ),
      ),
      error,
    );
  }

  #parameter(parameter) {
    const pointer = `/settings/${pointed(parameter.name)}`;
    const { name, about, default: usual } = parameter;
    const hint = [about && `${about}.`, rangeOf(parameter)].filter(Boolean).join(' ');
    const common = { label: name, hint };
    if (parameter.one_of) {
      const select = element('select', {}, ...parameter.one_of.map((value, place) => element('option', { value: place }, String(value))));
      const place = (value) => Math.max(0, parameter.one_of.indexOf(value ?? usual));
      const read = () => unusual(parameter.one_of[select.selectedIndex], usual);
      return this.#field(pointer, { ...common, controls: [select], read, write: (value) => (select.selectedIndex = place(value)) });
    }
    if (typeof usual === 'boolean') {
      const box = element('input', { type: 'checkbox', class: 'switch' });
      const read = () => unusual(box.checked, usual);
      return this.#field(pointer, { ...common, controls: [box], read, write: (value) => (box.checked = value ?? usual) });
    }
    if (typeof usual === 'number') return this.#field(pointer, { ...common, ...numberField(parameter) });
    const text = element('input', { type: 'text', autocomplete: 'off', spellcheck: 'false' });
    const read = () => unusual(text.value, usual);
    return this.#field(pointer, { ...common, controls: [text], read, write: (value) => (text.value = value ?? usual) });
  }

  #speed() {
    const input = element('input', { type: 'number', step: 'any', inputmode: 'decimal', placeholder: '1' });
    const buttons = SPEEDS.map((speed) => {
      const button = element('button', { type: 'button', class: 'chip' }, `${speed}×`);
      button.addEventListener('click', () => {
        input.value = String(speed);
        input.dispatchEvent(new Event('input', { bubbles: true }));
      });
      return button;
    });
    this.pace = element('span');
    const hint = element('span', { class: 'hint' }, '1 is as fast as the scenario says. ', this.pace);
    const box = element('div', { class: 'with-chips' }, input, ...buttons);
    return this.#field('/speed', { label: 'Speed', hint, box, ...readsNumber(input, undefined) });
  }

  #seed() {
    const input = element('input', { type: 'number', step: '1', inputmode: 'numeric', placeholder: 'as written' });
    const random = element('button', { type: 'button', class: 'chip' }, 'Random');
    random.addEventListener('click', () => {
      input.value = String(Math.floor(Math.random() * Math.min(SEEDS, 1e6)));
      input.dispatchEvent(new Event('input', { bubbles: true }));
    });
    const hint = 'The same seed and settings give the same incident.';
    const box = element('div', { class: 'with-chips' }, input, random);
    return this.#field('/seed', { label: 'Seed', hint, box, ...readsNumber(input, undefined) });
  }
}

/** A number, with a slider beside it if both of its bounds are known. */
function numberField({ name, default: usual, min, max }) {
  const input = element('input', { type: 'number', step: 'any', inputmode: 'decimal', min, max });
  const field = readsNumber(input, usual);
  if (min === undefined || max === undefined) return field;
  const step = Number.isInteger(usual) && Number.isInteger(min) ? 1 : (max - min) / 200;
  const slider = element('input', { type: 'range', min, max, step, 'aria-label': `${name}, slider` });
  slider.addEventListener('input', () => (input.value = slider.value));
  input.addEventListener('input', () => (slider.value = input.value));
  const write = (value) => {
    field.write(value);
    slider.value = input.value;
  };
  return { ...field, write, controls: [input], box: element('div', { class: 'with-slider' }, input, slider) };
}

function readsNumber(input, usual) {
  return {
    controls: [input],
    read: () => (input.value === '' ? undefined : unusual(input.valueAsNumber, usual)),
    write: (value) => (input.value = value ?? usual ?? ''),
    unread: () => (input.validity.badInput ? 'This is not a number.' : ''),
  };
}

/** What is as the scenario says is not sent, so that it stays so when the scenario changes. */
function unusual(value, usual) {
  return value === usual ? undefined : value;
}

function rangeOf({ default: usual, min, max }) {
  const range =
    min !== undefined && max !== undefined
      ? `${min} to ${max}, `
      : min !== undefined
        ? `At least ${min}, `
        : max !== undefined
          ? `At most ${max}, `
          : '';
  const text = typeof usual === 'string' && usual === '' ? 'nothing' : usual;
  return `${range}${range ? 'normally' : 'Normally'} ${text}.`;
}

/** A key as a part of a JSON pointer, and back. */
function pointed(key) {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function unpointed(part) {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}

customElements.define('settings-form', SettingsForm);
