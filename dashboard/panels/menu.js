// Owns the menu of the page: what is done with the incident on screen, and how the page is.

import { element, setText, show } from '../dom.js';
import { icon } from '../icons.js';
import { bindKey } from '../keys.js';
import { isOn, setOn } from '../preferences.js';
import { confirmCancel, mayCancel } from './cancel.js';
import { showHelp } from './help.js';
import { showReport } from './report.js';

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {string} key of the keyboard; empty for none
 * @property {string} icon
 * @property {string | ((view: import('../model.js').View) => string)} word
 * @property {(view: import('../model.js').View) => boolean} when it can be chosen
 * @property {(view: import('../model.js').View) => void} run
 * @property {string} group
 */

/** @type {Item[]} */
const ITEMS = [
  {
    id: 'report',
    key: 'r',
    icon: 'report',
    word: 'Report',
    group: 'This incident',
    when: ({ incident, frozen }) => incident !== null && !frozen,
    run: ({ incident }) => showReport(incident),
  },
  {
    id: 'cancel',
    key: 'x',
    icon: 'close',
    word: 'End the drill …',
    group: 'This incident',
    when: mayCancel,
    run: ({ incident }) => confirmCancel(incident),
  },
  {
    id: 'moments',
    key: '',
    icon: 'bell',
    word: () => `Screen readers hear key moments: ${isOn('moments') ? 'yes' : 'no'}`,
    group: 'The page',
    when: () => true,
    run: (view) => {
      setOn('moments', !isOn('moments'));
      document.querySelector('page-menu').update(view);
    },
  },
  {
    id: 'help',
    key: '',
    icon: 'keys',
    word: 'Keys',
    group: 'The page',
    when: () => true,
    run: showHelp,
  },
];

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
        element('kbd', { hidden: item.key === '' }, item.key === '' && item.id === 'help' ? '?' : item.key),
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
    for (const { item, button } of this.items) {
      show(button, item.when(view));
      setText(button.children[1], typeof item.word === 'string' ? item.word : item.word(view));
    }
    for (const section of this.menu.children) {
      show(section, Array.from(section.children).some((child) => child.matches('.menu-item:not([hidden])')));
    }
  }

  #run(item) {
    if (item.when(this.view)) item.run(this.view);
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
