// Texts that can't be read: their colour as it is painted, over every ground below them. A list of sentences, after the number of texts.
const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
const pen = canvas.getContext('2d', { willReadFrequently: true });
const known = new Map();
const painted = (color) => {
  if (!known.has(color)) {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    known.set(color, [r, g, b, a / 255]);
  }
  return known.get(color);
};
const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
const channel = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const ground = (node) => over(painted(getComputedStyle(node).backgroundColor), node.parentElement ? ground(node.parentElement) : [255, 255, 255]);
const wrong = [];
let texts = 0;
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const node = walk.currentNode.parentElement;
  const text = walk.currentNode.data.trim();
  if (text === '' || node.closest('svg, noscript, .unseen, :disabled') || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
  const style = getComputedStyle(node);
  const below = ground(node);
  const color = [...painted(style.color)];
  for (let holder = node; holder; holder = holder.parentElement) color[3] *= Number(getComputedStyle(holder).opacity);
  const size = parseFloat(style.fontSize);
  const least = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
  texts += 1;
  const ratio = contrast(over(color, below), below);
  // Rounded as people quote it.
  if (ratio < least - 0.05) wrong.push(`${ratio.toFixed(2)}: "${text.slice(0, 30)}" in ${node.tagName.toLowerCase()}.${node.className}`);
}
return [texts, ...new Set(wrong)];
