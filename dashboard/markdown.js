// Owns showing a report: the part of Markdown that `src/report/markdown` writes, as elements. No text becomes markup.

import { element } from './dom.js';

const ENTITIES = { '&lt;': '<', '&gt;': '>', '&amp;': '&' };
/** Fences may be longer than the ones within. */
const FENCE = /^(\x60{3,})/;
const ITEM = /^- (?:\[([ x])\] )?(.*)$/;
const HEADING = /^(#{1,4}) (.*)$/;
/** An escape, an entity, code, or strong text. */
const INLINE = /\\([!-/:-@[-`{-~])|(&(?:lt|gt|amp);)|(\x60+)(.+?)\3(?!\x60)|\*\*((?:\\.|[^\\])+?)\*\*/g;

/**
 * @param {string} text Markdown
 * @returns {HTMLElement[]}
 */
export function shownMarkdown(text) {
  const lines = text.split('\n');
  const nodes = [];
  while (lines.length > 0) {
    const node = block(lines);
    if (node) nodes.push(node);
  }
  return nodes;
}

/** Takes one block from the front of the lines. */
function block(lines) {
  const line = lines[0];
  const heading = HEADING.exec(line);
  const fence = FENCE.exec(line)?.[1];
  if (line.trim() === '' || heading || fence || line === '---') lines.shift();
  if (line.trim() === '') return null;
  if (line === '---') return element('hr');
  // The dialog has the page's second level for itself.
  if (heading) return element(`h${Math.min(6, heading[1].length + 1)}`, {}, ...inline(heading[2]));
  if (fence) {
    const code = takeWhile(lines, (one) => !one.startsWith(fence));
    lines.shift();
    return element('pre', { tabindex: '0' }, element('code', {}, code.join('\n')));
  }
  if (line.startsWith('> ')) {
    const quote = takeWhile(lines, (one) => one.startsWith('>'));
    return element('blockquote', {}, ...inline(quote.map((one) => one.replace(/^> ?/, '')).join(' ')));
  }
  if (line.startsWith('|')) return table(takeWhile(lines, (one) => one.startsWith('|')));
  if (ITEM.test(line)) return list(takeWhile(lines, (one) => ITEM.test(one) || /^ {2,}\S/.test(one)));
  const starts = (one) => one.trim() === '' || one.startsWith('|') || HEADING.test(one) || FENCE.test(one);
  const text = [lines.shift(), ...takeWhile(lines, (one) => !starts(one))];
  return element('p', {}, ...inline(text.join(' ')));
}

function takeWhile(lines, test) {
  const end = lines.findIndex((line) => !test(line));
  return lines.splice(0, end < 0 ? lines.length : end);
}

function list(lines) {
  const items = [];
  for (const line of lines) {
    if (ITEM.test(line)) items.push(line);
    else items[items.length - 1] += ` ${line.trim()}`;
  }
  const shown = items.map((item) => {
    const [, task, text] = ITEM.exec(item);
    const box = { ' ': '☐ ', x: '☑ ' }[task];
    return element('li', { class: box ? 'task' : null }, box, ...inline(text));
  });
  return element('ul', {}, ...shown);
}

function table([head, , ...rows]) {
  const cells = (line) => line.replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map((cell) => cell.trim());
  const row = (line, tag) => element('tr', {}, ...cells(line).map((cell) => element(tag, tag === 'th' ? { scope: 'col' } : {}, ...inline(cell))));
  const shown = element('table', {}, element('thead', {}, row(head, 'th')), element('tbody', {}, ...rows.map((line) => row(line, 'td'))));
  // A wide table scrolls by itself.
  return element('div', { class: 'wide', tabindex: '0', role: 'group', 'aria-label': 'Table' }, shown);
}

function inline(text) {
  const nodes = [];
  let plain = '';
  let from = 0;
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = '';
  };
  for (const found of text.matchAll(INLINE)) {
    const [whole, escaped, entity, , code, strong] = found;
    plain += text.slice(from, found.index);
    from = found.index + whole.length;
    if (escaped) plain += escaped;
    else if (entity) plain += ENTITIES[entity];
    else {
      flush();
      nodes.push(code === undefined ? element('strong', {}, ...inline(strong)) : element('code', {}, code));
    }
  }
  plain += text.slice(from);
  flush();
  return nodes;
}
