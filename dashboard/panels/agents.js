// Owns the agents: what each one does, its confidence, and the trend of that confidence.

import { element, keyed, setAttribute, setProperty, setText, show } from '../dom.js';
import { agentName, isPerson, percent, stamp } from '../format.js';
import { icon, setIcon } from '../icons.js';

const STATUS_ICON = { idle: 'idle', working: 'working', done: 'check', failed: 'alert' };

class Agents extends HTMLElement {
  connectedCallback() {
    this.list = element('ul', { class: 'agents', tabindex: '0', 'aria-label': 'Agents' });
    this.working = element('span', { class: 'muted count' });
    this.none = element('p', { class: 'muted empty' }, 'No agent has acted yet.');
    this.append(element('header', {}, element('h3', {}, 'Agents'), this.working), this.none, this.list);
  }

  /** @param {import('../model.js').View} view */
  update({ incident: { agents, hypotheses }, hours }) {
    const causes = new Set(hypotheses.map(({ id }) => id));
    const working = agents.filter(({ status }) => status === 'working').length;
    show(this.none, agents.length === 0);
    setText(this.working, working > 0 ? `${working} working` : '');
    keyed(
      this.list,
      agents,
      (agent) => agent.id,
      create,
      (node, agent) => refresh(node, agent, causes.has(agent.confidence_in), hours),
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

/** A belief in a cause is told by the headline and by the hypotheses. */
function refresh(node, agent, believes, hours) {
  const [statusIcon, , status, does, bar, value, trend] = node.children;
  const confidence = believes ? null : agent.confidence;
  setAttribute(node, 'data-status', agent.status);
  setAttribute(node, 'title', agent.role || null);
  setIcon(statusIcon, STATUS_ICON[agent.status]);
  setText(status, agent.since_s === null ? agent.status : `${agent.status} · ${stamp(agent.since_s, hours)}`);
  setText(does, agent.summary ?? agent.role);
  setAttribute(does, 'data-role', agent.summary === null);
  setAttribute(does, 'title', agent.summary);
  // Without a confidence, the text takes its place.
  setAttribute(node, 'data-plain', confidence === null);
  setProperty(bar, '--value', Math.min(1, Math.max(0, confidence ?? 0)));
  setText(value, confidence === null ? '' : percent(confidence));
  setAttribute(value, 'title', confidence === null ? null : `Confidence ${percent(confidence)}`);
  const points =
    confidence === null || agent.confidence_before === null
      ? null
      : Math.round(confidence * 100) - Math.round(agent.confidence_before * 100);
  setText(trend, trendOf(points));
  setAttribute(trend, 'data-trend', points === null ? null : Math.sign(points));
  setAttribute(trend, 'title', points === null ? null : `${points >= 0 ? 'Up' : 'Down'} ${Math.abs(points)} points`);
}

function trendOf(points) {
  if (points === null) return '';
  if (points === 0) return '';
  return points > 0 ? `▲ ${points}` : `▼ ${-points}`;
}

customElements.define('agents-panel', Agents);
