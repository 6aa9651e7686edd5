// What axe-core finds, after its source. Where something covers a text, or a list has been scrolled past it, axe can't tell its ground,
// and it does not measure signs: those texts are measured by contrast.js. Everything else that axe leaves open counts as found.
const { violations, incomplete } = await axe.run(document, { resultTypes: ['violations', 'incomplete'] });
const COVERED = ['nonBmp', 'bgOverlap', 'elmPartiallyObscured', 'elmPartiallyObscuring', 'outsideViewport', 'shortTextContent'];
const covered = (id, node) => id === 'color-contrast' && node.any.every(({ data }) => COVERED.includes(data?.messageKey));
const sentence = ({ id, help }, node) => `${id} (${help}): ${node.target.join(' ')}: ${[...node.any, ...node.all, ...node.none].map(({ message }) => message).join('; ')}`;
return [
  ...violations.flatMap((rule) => rule.nodes.map((node) => sentence(rule, node))),
  ...incomplete.flatMap((rule) => rule.nodes.filter((node) => !covered(rule.id, node)).map((node) => `left open: ${sentence(rule, node)}`)),
];
