// Owns what a person chose of each scenario: seed, speed, variant and parameters. Choices are remembered by this browser.

import { entryOf } from './contract.js';
import { remember, remembered } from './preferences.js';
import { quoted, serverFlags } from './terminal.js';

/** Where choices are kept, and for how many scenarios. */
const NAME = 'choices';
const MOST = 50;

/** The setting that names a variant, as in `src/scenario/settings/chosen.rs`. */
export const VARIANT = 'variant';

/**
 * @typedef {string | number | boolean} Value
 * @typedef {object} Choice what is not as the scenario says
 * @property {number} [seed]
 * @property {number} [speed]
 * @property {Record<string, Value>} [settings]
 */

/**
 * The remembered choice of a scenario, without what the scenario no longer offers.
 * @param {import('./api.js').Scenario} scenario
 * @returns {Choice}
 */
export function choiceOf(scenario) {
  const kept = entryOf(all(), scenario.id) ?? {};
  const choice = {};
  if (Number.isSafeInteger(kept.seed)) choice.seed = kept.seed;
  if (Number.isFinite(kept.speed)) choice.speed = kept.speed;
  const offered = Object.entries(kept.settings ?? {}).filter(([key, value]) => isOffered(scenario, key, value));
  if (offered.length > 0) choice.settings = Object.fromEntries(offered);
  return choice;
}

/** @returns {string | null} the id of the scenario that was started last */
export function lastStarted() {
  return Object.keys(all()).at(-1) ?? null;
}

/**
 * Remembers the choice with which a scenario was started, also that there was none.
 * @param {string} scenario
 * @param {Choice} choice
 */
export function keepChoice(scenario, choice) {
  const { [scenario]: _, ...others } = all();
  remember(NAME, Object.fromEntries([...Object.entries(others), [scenario, choice]].slice(-MOST)));
}

/**
 * A choice in words: `failover-fails · release 88 · seed 7 · 4×`; empty if nothing is chosen.
 * @param {Choice} choice
 */
export function inWords({ seed, speed, settings = {} }) {
  const { [VARIANT]: variant, ...parameters } = settings;
  return [
    variant,
    ...Object.entries(parameters).map(([name, value]) => `${name} ${value}`),
    seed !== undefined && `seed ${seed}`,
    speed !== undefined && `${speed}×`,
  ]
    .filter(Boolean)
    .join(' · ');
}

/**
 * The command of the terminal that starts the same.
 * @param {string} scenario
 * @param {Choice} choice
 * @param {import('./api.js').Session | null | undefined} session
 */
export function commandOf(scenario, { seed, speed, settings = {} }, session) {
  const set = Object.entries(settings).map(([key, value]) => `--set ${quoted(`${key}=${value}`)}`);
  const numbers = [seed !== undefined && `--seed ${seed}`, speed !== undefined && `--speed ${speed}`];
  return ['incident trigger', quoted(scenario), ...numbers.filter(Boolean), ...set].join(' ') + serverFlags(session);
}

function isOffered({ parameters = [], variants = [] }, key, value) {
  if (key === VARIANT) return variants.some(({ name }) => name === value);
  const parameter = parameters.find(({ name }) => name === key);
  if (!parameter || typeof parameter.default !== typeof value) return false;
  return !parameter.one_of || parameter.one_of.includes(value);
}

function all() {
  const kept = remembered(NAME);
  return typeof kept === 'object' && kept !== null && !Array.isArray(kept) ? kept : {};
}
