// Owns the wiring of the page: events go from the stream through the model to the panels, actions from the panels to the model.

import { session, socketUrl } from './api.js';
import { setAttribute, setText, show } from './dom.js';
import { Frames, LIST_MS, MOVES_MS } from './frames.js';
import { listenToKeys } from './keys.js';
import { linkTo, readLink, showComparedInAddress, showInAddress } from './link.js';
import { Model } from './model.js';
import { isPart, part } from './parts.js';
import { isNotifying, isOn } from './preferences.js';
import { home, server } from './servers.js';
import { Stream } from './stream.js';
import { showAll } from './zoom.js';
import './panels/account.js';
import './panels/agents.js';
import './panels/ahead.js';
import './panels/announcer.js';
import './panels/copylink.js';
import { tellNotLoaded } from './panels/entrances.js';
import './panels/feed.js';
import './panels/forecast.js';
import './panels/headline.js';
import './panels/hypotheses.js';
import './panels/menu.js';
import './panels/metrics.js';
import './panels/quiet.js';
import './panels/result.js';
import './panels/tabs.js';
import './panels/theme.js';
import './panels/topbar.js';
import './panels/track.js';
import './panels/trigger.js';

/** Between two drawings of everything, and of the progress, while a replay arrives. */
const CATCHING_UP_MS = 300;
const COUNTING_MS = 80;

const page = document.documentElement;
const received = document.getElementById('received');
/** Panels of every mode: they also have to remove their content when the mode changes. */
const always = panels(
  'connection-status',
  'trigger-menu',
  'account-menu',
  'page-menu',
  'copy-link',
  'incident-tabs',
  'quiet-panel',
  'result-card',
  'page-announcer',
);
const ofMode = {
  connecting: [],
  quiet: [],
  board: panels('incident-board'),
  compare: panels('compare-panel'),
  incident: panels(
    'headline-panel',
    'phase-track',
    'replay-controls',
    'feed-panel',
    'addition-form',
    'ahead-panel',
    'agents-panel',
    'hypotheses-panel',
    'forecast-panel',
    'metrics-panel',
  ),
};

let stale = true;
/** Only incidents that are not on screen have news. */
let staleElsewhere = false;
let drawnAt = -Infinity;
let countedAt = 0;
/** What was drawn last. */
let drawn = null;
/** Parts that were asked for. */
const fetched = new Set();

const frames = new Frames(draw, moves);
const changed = () => {
  stale = true;
  frames.request();
};
const stream = new Stream(socketUrl(), {
  event: (...event) => {
    model.take(...event);
    if (isElsewhere(event[0])) {
      staleElsewhere = true;
      frames.request(MOVES_MS);
    } else if (drawn?.mode === 'board') {
      stale = true;
      frames.request(LIST_MS);
    } else changed();
  },
  opened: (...opened) => model.opened(...opened),
  gap: (...gap) => model.gap(...gap),
  recovered: (recovery) => document.querySelector('connection-status').recovered(recovery),
  refused: leaveIfLoggedOut,
  heard: (...heard) => model.heard(...heard),
  changed,
});
const model = new Model(stream, changed, (text) => document.querySelector('trigger-menu').tell(text));

addEventListener('incident-select', ({ detail }) => {
  model.select(detail);
  showComparedInAddress(null);
  showInAddress(detail);
});
addEventListener('incident-pin', ({ detail }) => model.pin(detail));
addEventListener('board-show', ({ detail }) => {
  model.go((places) => Object.assign(places, { list: detail, compared: null, chosen: true }));
  showComparedInAddress(null);
  if (detail) document.querySelector('incident-board').wantsFocus = true;
});
addEventListener('compare-with', ({ detail }) => {
  part('compare').then(({ likelyPartner }) => {
    const partner = likelyPartner(detail, model.all());
    if (partner) showComparison([partner.id, detail.id]);
    else document.querySelector('trigger-menu').tell('There is no other run to compare with.');
  }, tellNotLoaded);
});
addEventListener('notices-switch', ({ detail }) => {
  part('notices').then(async (notices) => {
    notices.watchForNews(model);
    await (detail === 'sound' ? notices.switchSound() : notices.switchNotifications());
    document.querySelector('page-menu').refresh();
    changed();
  }, tellNotLoaded);
});
addEventListener('compare-show', ({ detail }) => showComparison(detail));
addEventListener('incident-dismiss', () => {
  model.dismiss();
  showInAddress(null);
});
addEventListener('incident-trigger', ({ detail }) => model.trigger(detail));
addEventListener('addition-write', ({ detail }) => model.additions.write(detail.id, detail.typed));
addEventListener('addition-send', ({ detail }) => model.additions.send(detail.id));

onScrub('scrub-to', (scrub, incident, timeline, now_s, second) => scrub.at(incident, timeline, second, now_s));
onScrub('scrub-seconds', (scrub, incident, timeline, now_s, by) => scrub.bySeconds(incident, timeline, by, now_s));
onScrub('scrub-event', (scrub, incident, timeline, now_s, by) => scrub.byEvent(incident, timeline, by, now_s));
onScrub('scrub-pause', (scrub, incident, timeline, now_s) => {
  if (model.replay.stop()) return;
  if (scrub.of(incident.id)) scrub.live();
  else scrub.pause(incident, timeline, now_s);
});
onScrub('scrub-live', (scrub) => scrub.live());
addEventListener('scrub-mark', ({ detail }) => document.querySelector('phase-track').toMark(detail, model.view()));
addEventListener('replay-stopped', keepInAddress);
addEventListener('zoom-all', showAll);
addEventListener('charts-zoomed', changed);
addEventListener('link-copy', () => document.querySelector('copy-link').copy(linkToShown()));

const link = readLink();
if (link.incident !== null) model.follow(link.incident, link.t);
if (link.compare) showComparison(link.compare);
listenToKeys();
if (isNotifying() || isOn('sound')) part('notices').then((notices) => notices.watchForNews(model), tellNotLoaded);
stream.start();

/** @param {[string, string] | null} ids */
function showComparison(ids) {
  model.go((places) => (places.compared = ids));
  showComparedInAddress(ids);
}

/** Moves the moment that is shown, and keeps it in the page's address. */
function onScrub(name, move) {
  addEventListener(name, ({ detail }) => {
    model.move((...now) => move(...now, detail));
    keepInAddress();
  });
}

function keepInAddress() {
  const { newest, scrub } = model.view();
  if (newest) showInAddress(newest.id, scrub?.offset_s ?? null);
}

/** The link to what is on screen: to its moment, while that is not the end of the incident. */
function linkToShown() {
  const { newest, moment, scrub } = model.view();
  if (!newest) return linkTo(null);
  return linkTo(newest.id, scrub || newest.state === 'open' ? moment.offset_s : null);
}

/** While a replay arrives, only its progress is drawn each time. Everything else is drawn a few times a second. */
function draw() {
  if (stream.connection.state === 'live' && !stream.caughtUp && performance.now() - drawnAt < CATCHING_UP_MS) {
    if (performance.now() - countedAt > COUNTING_MS) {
      countedAt = performance.now();
      document.querySelector('connection-status').update(model.view());
    }
    frames.request();
    return;
  }
  drawnAt = performance.now();
  if (stream.connection.state !== 'live') model.freeze();
  const view = model.view();
  drawn = view;
  if (stale || staleElsewhere) {
    // For tests and scripts: what was received, and drawn.
    setAttribute(received, 'data-count', view.connection.received);
    setAttribute(received, 'data-last', view.connection.position?.last ?? 0);
    if (!stale) for (const panel of always) panel.update?.(view, model);
  }
  staleElsewhere = false;
  if (stale) {
    stale = false;
    setAttribute(page, 'data-connection', view.connection.state);
    setAttribute(page, 'data-view', view.mode);
    setAttribute(page, 'data-drill', view.incident?.synthetic === true);
    if (isPart(view.mode)) fetchPart(view.mode);
    for (const main of document.querySelectorAll('[data-mode]')) show(main, main.dataset.mode === view.mode);
    setText(document.getElementById('connecting-url'), view.connection.url);
    for (const panel of panelsOf(view)) panel.update?.(view, model);
  }
  for (const panel of panelsOf(view)) panel.tick?.(view, model);
}

/** A part of the page that is there draws itself; one that is not there yet is loaded, once. */
function fetchPart(mode) {
  if (fetched.has(mode)) return;
  fetched.add(mode);
  part(mode).then(changed, () => {
    fetched.delete(mode);
    model.go((places) => Object.assign(places, { list: false, compared: null }));
    tellNotLoaded();
  });
}

/** Whether an event changes only what the tabs say. */
function isElsewhere({ subject, index }) {
  if (drawn?.mode !== 'incident' || !stream.caughtUp || index === undefined) return false;
  return subject !== drawn.newest?.id && drawn.tabs.some(({ id }) => id === subject);
}

/** Numbers change with time only while an incident is open and the server is connected. Those of a list are not followed one by one. */
function moves() {
  if (stream.connection.state !== 'live' || !drawn?.tabs.some(({ state }) => state === 'open')) return 0;
  return drawn.mode === 'board' ? LIST_MS : MOVES_MS;
}

/** After a reload the server shows the login page at this address, and this page again after the log-in. */
async function leaveIfLoggedOut() {
  const asked = server();
  const { scope } = await session().catch(() => ({}));
  if (scope !== null) return;
  if (asked === home) location.reload();
  else stream.needsLogIn(asked.href);
}

function panelsOf(view) {
  return [...always, ...ofMode[view.mode]];
}

function panels(...tags) {
  return tags.map((tag) => document.querySelector(tag));
}
