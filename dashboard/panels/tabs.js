// Owns the tabs: one per incident, with its phase, timer and cost. They are hidden while there is only one incident. If many
// are open, only the pinned ones and the one on screen have a tab, and a button leads to the list of all.

import { element, keyed, setAttribute, setText, show } from '../dom.js';
import { cashShort, clock, count, countdown, inHours } from '../format.js';
import { icon, phaseIcon, setIcon } from '../icons.js';
import { tabsOf } from '../urgency.js';

class Tabs extends HTMLElement {
  connectedCallback() {
    this.list = element('div', { class: 'tabs', role: 'group', 'aria-label': 'Incidents' });
    this.allWord = element('span');
    this.allNews = element('span', { class: 'badge new', hidden: true });
    this.all = element('button', { type: 'button', id: 'all-incidents', title: 'All incidents (i)' }, icon('list'), this.allWord, this.allNews);
    this.all.addEventListener('click', () => dispatchEvent(new CustomEvent('board-show', { detail: true })));
    this.append(this.all, this.list);
  }

  /** @param {import('../model.js').View} view */
  update({ tabs, mode, incident, unseen, pinned }) {
    show(this, tabs.length > 1 && mode === 'incident');
    this.shown = tabsOf(tabs, (id) => pinned.has(id) || id === incident?.id);
    const news = tabs.filter(({ id }) => unseen.has(id) && !this.shown.some((tab) => tab.id === id)).length;
    setText(this.allWord, `All ${count(tabs.filter(({ state }) => state === 'open').length)} open`);
    show(this.allNews, news > 0);
    setText(this.allNews, `${count(news)} new`);
    keyed(
      this.list,
      this.hidden ? [] : this.shown,
      ({ id }) => id,
      create,
      (node, tab) => {
        const [glyph, severity, title, , , news] = node.children;
        const open = tab.state === 'open';
        setAttribute(node, 'data-phase', open ? (tab.phase ?? '') : 'ended');
        setAttribute(node, 'aria-pressed', String(tab.id === incident?.id));
        setAttribute(node, 'title', `${tab.title} (${tab.id})`);
        setIcon(glyph, open ? (tab.phase === null ? 'working' : phaseIcon(tab.phase)) : tab.state === 'resolved' ? 'check' : 'close');
        // A drill says that it is one in the headline; among several incidents the real ones have to stand out.
        setText(severity, tab.severity === null ? '' : tab.synthetic ? tab.severity : `REAL ${tab.severity}`);
        setText(title, tab.title);
        show(news, unseen.has(tab.id));
      },
    );
  }

  /** @param {import('../model.js').View} view */
  tick(_view, model) {
    if (this.hidden) return;
    for (const [place, node] of Array.from(this.list.children).entries()) {
      const tab = this.shown[place];
      if (!tab) continue;
      const { offset_s, remaining_s, breached, cost } = model.momentOf(tab);
      const [, , , timer, money] = node.children;
      const hours = inHours(tab, offset_s);
      const text = remaining_s === null ? clock(offset_s, hours) : countdown(remaining_s, breached, hours);
      setText(timer, tab.state === 'open' ? (breached ? `${text} over` : text) : tab.state);
      setAttribute(timer, 'data-breached', breached);
      setText(money, cost ? cashShort(cost.total, cost.currency) : '');
    }
  }
}

function create({ id }) {
  const tab = element(
    'button',
    { type: 'button', class: 'tab', 'data-tab': id },
    element('span', { class: 'glyph' }),
    element('span', { class: 'tab-severity digits' }),
    element('span', { class: 'tab-title' }),
    element('span', { class: 'digits' }),
    element('span', { class: 'digits muted' }),
    element('span', { class: 'badge new' }, 'New'),
  );
  tab.addEventListener('click', () =>
    tab.dispatchEvent(new CustomEvent('incident-select', { detail: id, bubbles: true })),
  );
  return tab;
}

customElements.define('incident-tabs', Tabs);
