// What stands outside the page, or is larger than the element that holds it and neither cut nor scrolled: a list of sentences.
const found = new Set();
const name = (node) => `${node.tagName.toLowerCase()}${node.id ? `#${node.id}` : ''}${[...node.classList].map((one) => `.${one}`).join('')}`;
const cuts = (node) => getComputedStyle(node).overflowX !== 'visible';
for (const node of document.querySelectorAll('body *')) {
  if (node.closest('svg, .unseen') || !node.checkVisibility({ visibilityProperty: true })) continue;
  const { left, right, width, height } = node.getBoundingClientRect();
  if (width === 0 || height === 0) continue;
  let holder = node.parentElement;
  while (holder && holder !== document.body && !cuts(holder)) holder = holder.parentElement;
  if (holder === document.body && (left < -1 || right > innerWidth + 1)) found.add(`${name(node)} is outside: ${Math.round(left)} to ${Math.round(right)}`);
  const style = getComputedStyle(node);
  if (style.display === 'inline' || node.matches('main')) continue;
  const { clientWidth, clientHeight, scrollWidth, scrollHeight } = node;
  if (style.overflowX === 'visible' && clientWidth > 0 && scrollWidth > clientWidth + 1) found.add(`${name(node)} is too wide: ${scrollWidth} in ${clientWidth}`);
  // What is out of sight has an estimated height. Digits are taller than their line.
  const room = 3 + parseFloat(style.fontSize) / 5;
  if (style.overflowY === 'visible' && style.contentVisibility === 'visible' && clientHeight > 0 && scrollHeight > clientHeight + room) found.add(`${name(node)} is too tall: ${scrollHeight} in ${clientHeight}`);
}
if (document.documentElement.scrollWidth > innerWidth) found.add(`the page is ${document.documentElement.scrollWidth} wide`);
return [...found];
