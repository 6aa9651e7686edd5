// Owns the wiring of the page: events go from the stream through the model to the panels, actions from the panels to the model.

import { session, socketUrl } from './api.js';
import { setAttribute, setText, show } from './dom.js';
import { Frames } from './frames.js';
import { Model } from './model.js';
import { Stream } from './stream.js';
import './panels/account.js';
import './panels/agents.js';
import './panels/ahead.js';
import './panels/announcer.js';
import './panels/feed.js';
import './panels/forecast.js';
import './panels/headline.js';
import './panels/hypotheses.js';
import './panels/metrics.js';
import './panels/quiet.js';
import './panels/result.js';
import './panels/tabs.js';
import './panels/theme.js';
import './panels/topbar.js';
import './panels/track.js';
import './panels/trigger.js';

const page = document.documentElement;
const received = document.getElementById('received');
/** Panels of every mode: they also have to remove their content when the mode changes. */
const always = panels(
  'connection-status',
  'trigger-menu',
  'account-menu',
  'incident-tabs',
  'quiet-panel',
  'result-card',
  'page-announcer',
);
const ofMode = {
  connecting: [],
  quiet: [],
  incident: panels(
    'headline-panel',
    'phase-track',
    'feed-panel',
    'addition-form',
    'ahead-panel',
    'agents-panel',
    'hypotheses-panel',
    'forecast-panel',
    'metrics-panel',
  ),
};

/** Messages since the last frame. */
let queue = [];
let stale = true;

const frames = new Frames(draw, moves);
const changed = () => {
  stale = true;
  frames.request();
};
const stream = new Stream(socketUrl(), {
  event: (...event) => {
    queue.push(event);
    changed();
  },
  // Events that wait for the next frame came before the new connection, so the model has to get them first.
  opened: (...opened) => {
    takeQueue();
    model.opened(...opened);
  },
  gap: (...gap) => {
    takeQueue();
    model.gap(...gap);
  },
  recovered: (recovery) => document.querySelector('connection-status').recovered(recovery),
  refused: leaveIfLoggedOut,
  heard: (...heard) => model.clock.observe(...heard),
  changed,
});
const model = new Model(stream, changed);

addEventListener('incident-select', ({ detail }) => model.select(detail));
addEventListener('incident-dismiss', () => model.dismiss());
addEventListener('incident-trigger', ({ detail }) => model.trigger(detail));
addEventListener('addition-write', ({ detail }) => model.additions.write(detail.id, detail.typed));
addEventListener('addition-send', ({ detail }) => model.additions.send(detail.id));

stream.start();

function draw() {
  takeQueue();
  if (stream.connection.state !== 'live') model.freeze();
  const view = model.view();
  if (stale) {
    stale = false;
    setAttribute(page, 'data-connection', view.connection.state);
    setAttribute(page, 'data-view', view.mode);
    for (const main of document.querySelectorAll('[data-mode]')) show(main, main.dataset.mode === view.mode);
    setAttribute(received, 'data-count', view.connection.received);
    setAttribute(received, 'data-last', view.connection.position?.last ?? 0);
    setText(document.getElementById('connecting-url'), view.connection.url);
    for (const panel of panelsOf(view)) panel.update?.(view, model);
  }
  for (const panel of panelsOf(view)) panel.tick?.(view, model);
}

/** Numbers change with time only while an incident is open and the server is connected. */
function moves() {
  return stream.connection.state === 'live' && model.view().tabs.some(({ state }) => state === 'open');
}

function takeQueue() {
  const events = queue;
  queue = [];
  for (const event of events) model.take(...event);
}

/** After a reload the server shows the login page at this address, and this page again after the log-in. */
async function leaveIfLoggedOut() {
  const { scope } = await session().catch(() => ({}));
  if (scope === null) location.reload();
}

function panelsOf(view) {
  return [...always, ...ofMode[view.mode]];
}

function panels(...tags) {
  return tags.map((tag) => document.querySelector(tag));
}
