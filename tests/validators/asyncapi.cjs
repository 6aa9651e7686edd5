// Reads the AsyncAPI document that comes on stdin with AsyncAPI's own parser. Everything that it finds, a warning too, is
// printed and fails.
const { Parser } = require('@asyncapi/parser');

const NAMES = ['error', 'warning', 'information', 'hint'];

new Parser().parse(require('fs').readFileSync(0, 'utf8')).then(({ document, diagnostics }) => {
  const found = diagnostics.map((d) => `${NAMES[d.severity]} ${d.code} at /${d.path.join('/')}: ${d.message}`);
  const wrong = found.filter((line) => /^(error|warning)/.test(line));
  if (document) {
    const channels = document.channels().all();
    const messages = document.messages().all().map((message) => message.name()).sort();
    console.log(`${document.version()}: ${channels.map((channel) => channel.address()).join(' ')}: ${messages.join(' ')}`);
  } else wrong.push('no document');
  console.error(found.join('\n'));
  process.exitCode = wrong.length ? 1 : 0;
});
