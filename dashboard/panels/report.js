// Owns the report of an incident: to be read on the page, copied, and downloaded as the bytes that `incident report` prints.

import { report, reportUrl } from '../api.js';
import { element, setAttribute, setText } from '../dom.js';
import { icon } from '../icons.js';
import { copy as copyText } from '../link.js';
import { shownMarkdown } from '../markdown.js';
import { dialogOf } from './dialog.js';

const COPY = 'Copy Markdown';

/**
 * Shows the report of an incident as it is now.
 * @param {import('../fold.js').IncidentState} incident
 */
export async function open({ id, state }) {
  const body = element('article', { class: 'report', tabindex: '0', autofocus: true, 'aria-busy': 'true' }, element('p', { class: 'muted' }, 'Loading the report …'));
  const dialog = dialogOf({ id: 'report', heading: 'Report', className: 'wide-sheet' }, body);
  const download = element('a', { class: 'button', href: reportUrl(id), download: `${id}.md` }, icon('download'), 'Download');
  const copy = element('button', { type: 'button' }, icon('copy'), element('span', {}, COPY));
  dialog.actions.append(copy, download);
  dialog.open_();
  try {
    const text = await report(id);
    body.replaceChildren(
      ...(state === 'open' ? [element('p', { class: 'so-far' }, 'The incident is open. This is the report so far.')] : []),
      ...shownMarkdown(text),
    );
    copy.addEventListener('click', () => copyMarkdown(text, copy.lastElementChild));
  } catch (error) {
    body.replaceChildren(element('p', { class: 'problem', role: 'alert' }, `There is no report: ${error.message}`));
    download.remove();
    copy.remove();
  }
  setAttribute(body, 'aria-busy', null);
}

async function copyMarkdown(text, label) {
  setText(label, (await copyText(text)) ? 'Copied' : 'Not allowed');
  setTimeout(() => setText(label, COPY), 2000);
}
