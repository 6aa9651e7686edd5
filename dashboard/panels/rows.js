// Owns how one entry of an incident's history is drawn: its row in the feed and its dot on the track, per event type.

import { REJECTED, entryOf, entryPerType } from '../contract.js';
import { element, setAttribute, svg } from '../dom.js';
import { agentName, count, duration, isPerson, metric, percent, quantity, stamp, words } from '../format.js';
import { icon, phaseIcon } from '../icons.js';
import { longText } from '../long.js';

/**
 * @typedef {import('../history.js').Entry} Entry
 * @typedef {{history: import('../history.js').History, incident: import('../fold.js').IncidentState, hours: boolean}} Context
 *
 * @typedef {object} Renderer
 * @property {(entry: Entry, context: Context) => Node[]} cells what follows the time in the row
 * @property {(data: any) => boolean} key whether the event is a key moment
 * @property {((data: any) => SVGElement) | null} dot its shape on the track; `null` for none
 */

/**
 * How each type of event is drawn. `null`: it has no row, because another panel shows it.
 * @type {Record<string, Renderer | null>}
 */
export const ROWS = entryPerType('panels/rows.js', {
  incident_started: {
    cells: ({ data }) => [milestone(`Incident started: ${data.title}`)],
    key: () => true,
    dot: null,
  },
  agent_action: {
    cells: action,
    key: (data) =>
      data.status === 'failed' || data.marks.length > 0 || data.forecast !== undefined || addedBy(data)?.icon === 'person',
    dot: actionDot,
  },
  // The metrics and impact panels show it.
  system_metrics: null,
  incident_resolved: {
    cells: ({ data }) => [milestone(`Incident ${data.outcome}: ${data.summary}`)],
    key: () => true,
    dot: null,
  },
});

/** Kinds of actions that say something: notes, and what receivers tell of alerts. */
const SAID = {
  note: { icon: 'note', word: 'note' },
  alert_firing: { icon: 'bell', word: 'fires' },
  alert_resolved: { icon: 'check', word: 'ended' },
};
/** The sources of receivers begin so. */
const RECEIVERS = '/receivers/';

/** @type {Renderer} */
const UNKNOWN = { cells: unknown, key: () => true, dot: null };

const STATUS = {
  in_progress: { icon: 'idle', word: 'began' },
  completed: { icon: 'check', word: 'done' },
  failed: { icon: 'alert', word: 'failed' },
};

function rendererOf({ type, unknown }) {
  return !unknown && Object.hasOwn(ROWS, type) && ROWS[type] ? ROWS[type] : UNKNOWN;
}

/**
 * The row of an entry.
 * @param {Entry | import('../history.js').Gap} entry
 * @param {Context} context
 */
export function rowOf(entry, context) {
  if (entry.gap) return gapRow(entry.gap);
  const { cells, key } = rendererOf(entry);
  return element(
    'article',
    {
      class: entry.unknown ? 'row unknown' : 'row',
      'data-position': entry.position,
      'data-index': entry.index,
      'data-type': entry.type,
      'data-phase': entry.phase,
      'data-incident': context.incident.id,
      'data-status': entry.data.status,
      'data-added': entry.type === 'agent_action' && isAdded(entry.data),
      'data-key-moment': key(entry.data),
      'data-live': entry.live,
    },
    element('time', { class: 'digits' }, stamp(entry.offset_s, context.hours)),
    ...cells(entry, context),
  );
}

/**
 * Whether an entry is a key moment.
 * @param {Entry | import('../history.js').Gap} entry
 */
export function isKey(entry) {
  return !entry.gap && rendererOf(entry).key(entry.data);
}

/**
 * The shape of an entry on the track, with its text. Most are drawn over, so both are made when they are needed.
 * @param {Entry | import('../history.js').Gap} entry
 * @param {boolean} hours
 * @returns {{shape: () => SVGElement, text: () => string, weight: number} | null} `weight`: of two that are drawn at the same place, the
 *   heavier one is seen. `null` when it has none
 */
export function dotOf(entry, hours) {
  const dot = entry.gap ? null : rendererOf(entry).dot;
  if (!dot) return null;
  const { data, offset_s } = entry;
  return {
    shape: () => dot(data),
    text: () => `${stamp(offset_s, hours)} ${agentName(data.agent ?? '')}: ${data.summary ?? ''}`,
    weight: data.status === 'failed' ? 3 : isKey(entry) ? 2 : data.status === 'in_progress' ? 0 : 1,
  };
}

/**
 * The line between two phases.
 * @param {string} phase
 * @param {number} offset_s
 * @param {boolean} hours
 */
export function divider(phase, offset_s, hours) {
  return element(
    'div',
    { class: 'divider', 'data-phase': phase },
    icon(phaseIcon(phase)),
    element('span', {}, words(phase)),
    element('span', { class: 'digits' }, stamp(offset_s, hours)),
  );
}

function gapRow({ from, to }) {
  const many = to - from + 1;
  return element(
    'div',
    { class: 'row gap', 'data-gap': `${from}-${to}` },
    icon('alert'),
    many === 1
      ? `1 event lost: the server no longer has position ${from}`
      : `${count(many)} events lost: the server no longer has positions ${from} to ${to}`,
  );
}

function milestone(text) {
  return element('div', { class: 'body' }, ...longText('p', { class: 'summary strong' }, text));
}

/** The payload is shown as text, never as markup. */
function unknown({ type, unknown }) {
  const { text = '', length = 0, subject } = unknown ?? {};
  const facts = [
    subject !== undefined && (subject ? `incident ${subject}` : 'without an incident'),
    length > text.length && `first ${count(text.length)} of ${count(length)} characters`,
  ].filter(Boolean);
  return [
    element(
      'div',
      { class: 'body' },
      element('p', { class: 'summary' }, icon('other'), 'Unknown event ', element('code', {}, type)),
      text !== '' && element('code', { class: 'payload' }, text),
      facts.length > 0 && element('p', { class: 'facts' }, ...facts.map((fact) => element('span', {}, fact))),
    ),
  ];
}

function action({ data }, { history, hours, incident: { units } }) {
  const cause = data.caused_by && history.entry(data.caused_by);
  const causeText = cause && (cause.data.summary ?? cause.data.title ?? words(cause.type));
  const status = statusOf(data);
  // The confidence of an action that rejects a hypothesis is the belief in what it rejects, not in what it says.
  const rejects = data.action === REJECTED && data.confidence !== undefined;
  const rejected = rejects && data.hypotheses.find(({ p }) => p === data.confidence);
  const facts = [
    rejects &&
      element(
        'span',
        { class: 'fact' },
        `belief in ${rejected ? `“${rejected.claim}”` : 'it'} now ${percent(data.confidence)}`,
      ),
    ...data.marks.map((mark) => element('span', { class: 'fact mark' }, icon('check'), words(mark))),
    data.attempt && element('span', { class: 'fact' }, `attempt ${data.attempt}`),
    data.forecast && element('span', { class: 'fact digits' }, forecast(data.forecast, hours)),
    ...data.evidence.map((one) => element('span', { class: 'fact', title: one.text }, evidence(one, units))),
    cause && element('span', { class: 'fact cause', title: causeText }, `after: ${causeText}`),
    data.late_s && element('span', { class: 'fact' }, `${duration(data.late_s)} late`),
  ].filter(Boolean);
  return [
    agent(data),
    element(
      'div',
      { class: 'body' },
      ...longText('p', { class: 'summary', title: words(data.action) }, data.summary),
      facts.length > 0 && element('p', { class: 'facts' }, ...facts),
    ),
    element(
      'span',
      { class: 'confidence digits', title: 'Confidence' },
      data.confidence === undefined || rejects ? '' : percent(data.confidence),
    ),
    element('span', { class: 'status', 'data-status': data.status }, icon(status.icon), status.word),
  ];
}

/** An alert that fires is not something that is done, nor is a note. */
function statusOf({ action, status, origin }) {
  const said = entryOf(SAID, action);
  const holds = status === 'completed' && (action === 'note' || origin?.source.startsWith(RECEIVERS));
  return said && holds ? said : STATUS[status];
}

/** The agent, with a sign for people, for alerts, and for programs that added something to a drill. */
function agent(data) {
  const by = addedBy(data);
  const name = element('span', { class: 'agent', title: by?.title }, by && icon(by.icon), agentName(data.agent));
  if (by) {
    setAttribute(name.firstElementChild, 'aria-hidden', null);
    setAttribute(name.firstElementChild, 'role', 'img');
    setAttribute(name.firstElementChild, 'aria-label', by.title);
  }
  return name;
}

/** What tells an action from those of the scenario, or of the programs of a real incident; `null` if it is one of those. */
function addedBy({ agent, origin, synthetic }) {
  if (!origin) return null;
  if (isPerson(agent)) return { icon: 'person', title: 'A person' };
  // Only receivers can publish under such a source.
  if (origin.source.startsWith(RECEIVERS)) return { icon: 'bell', title: 'An alert' };
  return synthetic ? { icon: 'plus', title: `Added to the drill by ${origin.source}` } : null;
}

function isAdded(data) {
  return ['person', 'plus'].includes(addedBy(data)?.icon);
}

/**
 * A circle for a completed action, a ring for one that began, a triangle for a failed one, a diamond for what people and
 * programs added: readable without colour.
 */
function actionDot(data) {
  const { status, marks } = data;
  if (status === 'failed') return svg('path', { d: 'M0-6 6 5H-6Z', class: 'failed' });
  const kind = status === 'in_progress' ? 'began' : 'completed';
  if (isAdded(data)) return svg('path', { d: 'M0-6 6 0 0 6-6 0Z', class: kind });
  return svg('circle', { r: marks.length ? 5 : 4, class: kind });
}

function forecast({ quantity: name, unit, p10, p50, p90 }, hours) {
  const spread =
    p10 !== undefined && p90 !== undefined ? ` (${quantity(p10, unit, hours)}–${quantity(p90, unit, hours)})` : '';
  return `${words(name)} ${quantity(p50, unit, hours)}${spread}`;
}

function evidence({ kind, ref, text, value }, units) {
  const shown = value !== undefined ? metric(value, entryOf(units, ref)) : text;
  return shown === undefined ? `${kind} ${ref}` : `${kind} ${ref}: ${shown}`;
}
