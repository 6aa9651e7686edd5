// Compiles the schema that comes on stdin with Ajv's defaults, strict mode included, and judges the messages beside it.
// Everything that is not as it should be, a warning of Ajv too, is printed and fails.
const Ajv = require('ajv/dist/2020').default;
const formats = require('ajv-formats').default;

const wrong = [];
const note = (...words) => wrong.push(words.join(' '));
const { schema, valid, invalid } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const ajv = new Ajv({ logger: { log: note, warn: note, error: note } });
formats(ajv);
const validate = ajv.compile(schema);
for (const message of valid) {
  if (!validate(message)) note('refused', JSON.stringify(message), ajv.errorsText(validate.errors));
}
for (const message of invalid) if (validate(message)) note('taken', JSON.stringify(message));
console.log(wrong.length ? wrong.join('\n') : `${valid.length} valid, ${invalid.length} invalid`);
process.exitCode = wrong.length ? 1 : 0;
