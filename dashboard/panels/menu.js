// Owns the menu of the page: what is done with the incident on screen, and how the page is.

import { element, setAttribute, setText, show } from '../dom.js';
import { icon } from '../icons.js';
import { bindKey } from '../keys.js';
import { isNotifying, isOn, mayNotify, setOn } from '../preferences.js';
import { openDialog, showBoard } from './entrances.js';
import { isShow, setShow } from './show.js';

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {string} key that this binds; empty for none
 * @property {string} [hint] key that is bound elsewhere
 * @property {string} icon
 * @property {string | ((view: import('../model.js').View) => string)} word
 * @property {(view: import('../model.js').View) => boolean} when it can be chosen
 * @property {(view: import('../model.js').View) => void} run
 * @property {string} group
 * @property {() => boolean} [on] whether it is switched on, if it is a switch
 */

/** @type {Item[]} */
const ITEMS = [
  {
    id: 'report',
    key: 'r',
    icon: 'report',
    word: 'Report',
    group: 'This incident',
    when: ({ incident, frozen, mode }) => incident !== null && mode === 'incident' && !frozen,
    run: ({ newest }) => openDialog('report', newest),
  },
  {
    id: 'compare',
    key: 'd',
    icon: 'compare',
    word: 'Compare with another run',
    group: 'This incident',
    when: ({ incident, mode, frozen }) => incident !== null && mode === 'incident' && !frozen,
    run: ({ newest }) => dispatchEvent(new CustomEvent('compare-with', { detail: newest })),
  },
  {
    id: 'pin',
    key: '',
    icon: 'pin',
    word: ({ incident, pinned }) => (incident && pinned.has(incident.id) ? 'No longer a tab' : 'Keep as a tab'),
    group: 'This incident',
    when: ({ incident, mode, tabs }) => incident !== null && mode === 'incident' && tabs.length > 1,
    run: ({ incident }) => dispatchEvent(new CustomEvent('incident-pin', { detail: incident.id })),
  },
  {
    id: 'cancel',
    key: 'x',
    icon: 'close',
    word: 'End the drill …',
    group: 'This incident',
    when: mayCancel,
    run: ({ newest }) => openDialog('cancel', newest),
  },
  {
    id: 'board',
    key: '',
    hint: 'i',
    icon: 'list',
    word: 'All incidents',
    group: 'The page',
    when: ({ mode }) => mode === 'incident' || mode === 'quiet',
    run: () => showBoard(true),
  },
  {
    id: 'notify',
    key: '',
    icon: 'bell',
    word: () => (mayNotify() ? 'Notify me' : 'Notify me (the browser refuses)'),
    group: 'The page',
    on: isNotifying,
    when: () => true,
    run: () => dispatchEvent(new CustomEvent('notices-switch', { detail: 'notifications' })),
  },
  {
    id: 'sound',
    key: '',
    icon: 'sound',
    word: 'Sound',
    group: 'The page',
    on: () => isOn('sound'),
    when: () => true,
    run: () => dispatchEvent(new CustomEvent('notices-switch', { detail: 'sound' })),
  },
  {
    id: 'show',
    key: 'v',
    icon: 'screen',
    word: 'View for a projector',
    group: 'The page',
    when: () => true,
    run: () => setShow(!isShow()),
  },
  {
    id: 'moments',
    key: '',
    icon: 'bell',
    word: 'Key moments for screen readers',
    group: 'The page',
    on: () => isOn('moments'),
    when: () => true,
    run: () => setOn('moments', !isOn('moments')),
  },
  {
    id: 'help',
    key: '',
    hint: '?',
    icon: 'keys',
    word: 'Keys',
    group: 'The page',
    when: () => true,
    run: () => openDialog('help'),
  },
];

/** Whether the person at this page can end the incident: drills are played here, real incidents are not. */
function mayCancel({ newest, mode, mayWrite, frozen }) {
  return mode === 'incident' && mayWrite && !frozen && newest?.state === 'open' && newest.synthetic;
}

class PageMenu extends HTMLElement {
  connectedCallback() {
    this.button = element(
      'button',
      { id: 'more', type: 'button', popovertarget: 'page-menu', title: 'More', 'aria-label': 'More' },
      icon('more'),
    );
    this.items = ITEMS.map((item) => {
      const button = element(
        'button',
        { type: 'button', id: `do-${item.id}`, class: 'menu-item' },
        icon(item.icon),
        element('span', {}),
        element('kbd', { hidden: !(item.hint ?? item.key) }, item.hint ?? item.key),
      );
      button.addEventListener('click', () => {
        this.menu.hidePopover();
        this.#run(item);
      });
      return { item, button };
    });
    const groups = [...new Set(ITEMS.map(({ group }) => group))].map((group) =>
      element(
        'section',
        { 'data-group': group },
        element('h2', {}, group),
        ...this.items.filter(({ item }) => item.group === group).map(({ button }) => button),
      ),
    );
    this.menu = element('div', { id: 'page-menu', class: 'menu', popover: 'auto' }, ...groups);
    this.menu.addEventListener('beforetoggle', ({ newState }) => newState === 'open' && this.refresh());
    this.menu.addEventListener('toggle', ({ newState }) => {
      if (newState === 'open') this.menu.querySelector('.menu-item:not([hidden])')?.focus();
    });
    this.menu.addEventListener('keydown', (event) => this.#key(event));
    this.append(this.button, this.menu);
    for (const item of ITEMS.filter(({ key }) => key)) {
      const what = typeof item.word === 'string' ? item.word : item.id;
      bindKey(item.key, { group: item.group, what, when: () => this.view && item.when(this.view), run: () => this.#run(item) });
    }
  }

  /** @param {import('../model.js').View} view */
  update(view) {
    this.view = view;
    // Whether notices are allowed, a browser asks another process each time.
    if (this.menu.matches(':popover-open')) this.refresh();
  }

  /** Shows what can be chosen, and what is switched on. */
  refresh() {
    const { view } = this;
    if (!view) return;
    for (const { item, button } of this.items) {
      show(button, item.when(view));
      setText(button.children[1], typeof item.word === 'string' ? item.word : item.word(view));
      setAttribute(button, 'aria-pressed', item.on ? String(item.on()) : null);
    }
    for (const section of this.menu.children) {
      show(section, Array.from(section.children).some((child) => child.matches('.menu-item:not([hidden])')));
    }
  }

  #run(item) {
    if (!item.when(this.view)) return;
    item.run(this.view);
    this.update(this.view);
  }

  #key(event) {
    const shown = this.items.map(({ button }) => button).filter((button) => !button.hidden);
    const place = shown.indexOf(document.activeElement);
    const next = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    shown.at(next % shown.length).focus();
  }
}

bindKey('m', { group: 'The page', what: 'More: everything that can be done here', run: () => document.querySelector('#more').click() });

customElements.define('page-menu', PageMenu);
