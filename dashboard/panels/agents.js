// Owns the agents: what each one does, its confidence, and the trend of that confidence.

import { element, keyed, setAttribute, setProperty, setText, show } from '../dom.js';
import { agentName, isPerson, percent, stamp } from '../format.js';
import { icon, setIcon } from '../icons.js';

const STATUS_ICON = { idle: 'idle', working: 'working', done: 'check', failed: 'alert' };

class Agents extends HTMLElement {
  connectedCallback() {
    this.list = element('ul', { class: 'agents' });
    this.working = element('span', { class: 'muted count' });
    this.none = element('p', { class: 'muted empty' }, 'No agent has acted yet.');
    this.append(element('header', {}, element('h3', {}, 'Agents'), this.working), this.none, this.list);
  }

  /** @param {import('../model.js').View} view */
  update({ incident: { agents, synthetic }, hours }) {
    const working = agents.filter(({ status }) => status === 'working').length;
    show(this.none, agents.length === 0);
    setText(this.working, working > 0 ? `${working} working` : '');
    setAttribute(this.list, 'data-plain', !synthetic && agents.every(({ confidence }) => confidence === null));
    keyed(
      this.list,
      agents,
      (agent) => agent.id,
      create,
      (node, agent) => refresh(node, agent, hours),
    );
  }
}

function create({ id }) {
  return element(
    'li',
    { class: 'agent-row', 'data-agent': id },
    element('span', { class: 'status-icon' }),
    element('span', { class: 'who' }, isPerson(id) && icon('person'), agentName(id)),
    element('span', { class: 'status' }),
    element('span', { class: 'does' }),
    element('span', { class: 'bar' }),
    element('span', { class: 'value digits' }),
    element('span', { class: 'trend digits' }),
  );
}

function refresh(node, agent, hours) {
  const [statusIcon, , status, does, bar, value, trend] = node.children;
  const { confidence } = agent;
  setAttribute(node, 'data-status', agent.status);
  setAttribute(node, 'title', agent.role || null);
  setIcon(statusIcon, STATUS_ICON[agent.status]);
  setText(status, agent.since_s === null ? agent.status : `${agent.status} · ${stamp(agent.since_s, hours)}`);
  setText(does, agent.summary ?? agent.role);
  setAttribute(does, 'data-role', agent.summary === null);
  setAttribute(does, 'title', agent.summary);
  setAttribute(bar, 'data-empty', confidence === null);
  setProperty(bar, '--value', confidence ?? 0);
  setText(value, confidence === null ? '–' : percent(confidence));
  setAttribute(value, 'aria-label', confidence === null ? 'no confidence given' : `confidence ${percent(confidence)}`);
  const points =
    confidence === null || agent.confidence_before === null
      ? null
      : Math.round(confidence * 100) - Math.round(agent.confidence_before * 100);
  setText(trend, trendOf(points));
  setAttribute(trend, 'data-trend', points === null ? null : Math.sign(points));
  setAttribute(
    trend,
    'aria-label',
    points === null ? null : `${points >= 0 ? 'up' : 'down'} ${Math.abs(points)} points`,
  );
}

function trendOf(points) {
  if (points === null) return '';
  if (points === 0) return '= 0';
  return points > 0 ? `▲ ${points}` : `▼ ${-points}`;
}

customElements.define('agents-panel', Agents);
