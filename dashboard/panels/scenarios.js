// Owns the list of scenarios: a card each that starts it, one button more for its settings, and a search once there are many.

import { choiceOf, inWords, lastStarted } from '../choices.js';
import { element, keyed, setAttribute, setText, show } from '../dom.js';
import { count, duration } from '../format.js';
import { icon } from '../icons.js';
import { bindKey, describeKey } from '../keys.js';
import { part } from '../parts.js';
import { tellNotLoaded } from './entrances.js';

/** With more scenarios than this, the list can be searched. */
const FEW = 8;

class ScenarioPicker extends HTMLElement {
  connectedCallback() {
    if (this.cards) return;
    this.search = element('input', {
      type: 'search',
      class: 'search',
      placeholder: 'Search scenarios',
      'aria-label': 'Search scenarios',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    this.found = element('span', { class: 'muted found', role: 'status' });
    this.bar = element('div', { class: 'search-bar', hidden: true }, this.search, this.found);
    this.none = element('p', { class: 'muted', hidden: true });
    this.cards = element('div', { class: 'cards' });
    this.list = element('div', { class: 'picker-list' }, this.bar, this.none, this.cards);
    this.form = element('settings-form', { hidden: true });
    this.append(this.list, this.form);
    this.search.addEventListener('input', () => this.#refresh());
    this.search.addEventListener('keydown', (event) => this.#searchKey(event));
    this.cards.addEventListener('keydown', (event) => this.#cardKey(event));
    this.cards.addEventListener('focusin', (event) => this.#current(event.target.closest('.card')));
    this.form.addEventListener('settings-close', () => this.#back());
  }

  /**
   * @param {import('../model.js').View} view
   * @param {import('../api.js').Scenario[]} scenarios none while the list is not shown
   */
  update(view, scenarios) {
    this.view = view;
    this.scenarios = scenarios;
    if (scenarios.length === 0) this.#showList();
    this.form.update?.(view);
    this.#refresh();
  }

  /** The field that one who opens the list wants to have. */
  focusFirst() {
    if (!this.form.hidden) return;
    const target = this.bar.hidden ? this.#visible().find((card) => card.tabIndexed) ?? this.#visible()[0] : null;
    (target?.firstElementChild ?? this.search).focus();
  }

  #refresh() {
    const { scenarios, view } = this;
    const many = scenarios.length > FEW;
    show(this.bar, many);
    const wanted = many ? this.search.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    const last = lastStarted();
    keyed(
      this.cards,
      scenarios,
      (scenario) => scenario.id,
      create,
      (card, scenario) => {
        refresh(card, scenario, view, scenario.id === last);
        show(card, wanted.every((word) => textOf(scenario).includes(word)));
      },
    );
    const shown = this.#visible();
    if (!shown.some((card) => card.tabIndexed)) this.#current(shown[0]);
    setText(this.found, wanted.length > 0 ? `${count(shown.length)} of ${count(scenarios.length)}` : '');
    show(this.none, many && shown.length === 0);
    setText(this.none, `No scenario has “${this.search.value.trim()}” in its name, id, services or severity.`);
  }

  #visible() {
    return Array.from(this.cards.children).filter((card) => !card.hidden);
  }

  /** The Tab key goes to one card of the list and its settings; arrow keys go to the others. */
  #current(current) {
    if (!current) return;
    for (const card of this.cards.children) {
      card.tabIndexed = card === current;
      for (const button of card.querySelectorAll('button')) setAttribute(button, 'tabindex', card === current ? 0 : -1);
    }
  }

  #searchKey(event) {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      this.#visible()[0]?.firstElementChild.focus();
    } else if (event.key === 'Escape' && this.search.value !== '') {
      event.preventDefault();
      event.stopPropagation();
      this.search.value = '';
      this.#refresh();
    }
  }

  #cardKey(event) {
    const shown = this.#visible();
    const card = event.target.closest('.card');
    const place = shown.indexOf(card);
    const columns = Math.max(1, shown.filter(({ offsetTop }) => offsetTop === shown[0].offsetTop).length);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (event.key === 'ArrowLeft' && event.target === card.lastElementChild) {
      event.preventDefault();
      return card.firstElementChild.focus();
    }
    const next = { Home: 0, End: shown.length - 1 }[event.key] ?? (step === undefined ? undefined : place + step);
    if (next === undefined) {
      if (event.key === 's') card.lastElementChild.click();
      else if (event.key === '/' && !this.bar.hidden) this.search.focus();
      else return;
    } else if (next < 0 && !this.bar.hidden) this.search.focus();
    else shown[Math.min(shown.length - 1, Math.max(0, next))].firstElementChild.focus();
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} id of the scenario whose settings are shown */
  async openSettings(id) {
    try {
      await part('settings');
    } catch {
      return tellNotLoaded();
    }
    const scenario = this.scenarios.find((known) => known.id === id);
    if (!scenario) return;
    // It was loaded just now, and has seen no view yet.
    this.form.update(this.view);
    this.form.open(scenario);
    show(this.list, false);
    show(this.form, true);
    this.form.focusFirst();
  }

  #showList() {
    show(this.form, false);
    show(this.list, true);
  }

  #back() {
    const id = this.form.scenario?.id;
    this.#showList();
    this.#refresh();
    const card = Array.from(this.cards.children).find((one) => one.dataset.key === id);
    card?.lastElementChild.focus();
  }
}

function textOf({ id, title, severity, services }) {
  return [id, title, severity, ...(services ?? [])].join(' ').toLowerCase();
}

function create(scenario) {
  const start = element(
    'button',
    { type: 'button', class: 'card-start', 'data-scenario': scenario.id },
    element('span', { class: 'badge severity' }),
    element('span', { class: 'card-title' }),
    element('span', { class: 'card-facts' }),
    element('span', { class: 'card-choice' }),
  );
  const settings = element('button', { type: 'button', class: 'card-settings' }, icon('settings'));
  const card = element('div', { class: 'card' }, start, settings);
  start.addEventListener('click', () => {
    const detail = { scenario: card.scenario.id, choice: choiceOf(card.scenario) };
    start.dispatchEvent(new CustomEvent('incident-trigger', { detail, bubbles: true }));
  });
  settings.addEventListener('click', () => card.closest('scenario-picker').openSettings(scenario.id));
  return card;
}

function refresh(card, scenario, { frozen }, last) {
  card.scenario = scenario;
  const [start, settings] = card.children;
  const [severity, title, facts, choice] = start.children;
  setText(severity, scenario.severity ?? '');
  setAttribute(severity, 'data-severity', scenario.severity);
  setText(title, scenario.title ?? scenario.id);
  const plays = Number.isFinite(scenario.screen_s) ? `plays ${duration(scenario.screen_s)}` : null;
  const target = Number.isFinite(scenario.target_s) ? `target ${duration(scenario.target_s)}` : null;
  setText(facts, [scenario.id, plays, target].filter(Boolean).join(' · '));
  // What is started is said beforehand.
  const chosen = inWords(choiceOf(scenario));
  const says = [last && 'Last started', chosen && `with ${chosen}`].filter(Boolean).join(' · ');
  setText(choice, says);
  show(choice, says !== '');
  const gone = frozen ? 'Not connected. No incident can be started.' : null;
  setAttribute(start, 'disabled', frozen);
  setAttribute(start, 'title', gone ?? `Start ${scenario.id}${chosen && ` with ${chosen}`}`);
  setAttribute(settings, 'aria-label', `Settings of ${scenario.title ?? scenario.id}`);
  setAttribute(settings, 'title', 'Seed, speed, variant and parameters');
}

describeKey(['↑', '↓', '←', '→'], { group: 'Starting scenarios', what: 'Go through the list' });
describeKey('Enter', { group: 'Starting scenarios', what: 'Start the scenario' });
describeKey('s', { group: 'Starting scenarios', what: 'Its settings' });
bindKey('/', {
  group: 'Starting scenarios',
  what: 'Search',
  when: () => visibleSearch() !== undefined,
  run: () => visibleSearch()?.focus(),
});

/** The search that is on the screen, of this or another list. */
function visibleSearch() {
  return Array.from(document.querySelectorAll('input.search')).find((field) => field.checkVisibility());
}

customElements.define('scenario-picker', ScenarioPicker);
