// Judges the SARIF log in the file that is named by the schema of SARIF 2.1.0, which @microsoft/jest-sarif contains.
// Its patterns are older than Unicode in patterns.
const Ajv = require('ajv-draft-04').default;
const formats = require('ajv-formats').default;
const fs = require('fs');
const path = require('path');

const folder = path.dirname(require.resolve('@microsoft/jest-sarif/package.json'));
const schema = JSON.parse(fs.readFileSync(path.join(folder, 'lib/schemas/sarif-2.1.0-rtm.5.json'), 'utf8'));
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
formats(ajv);
const validate = ajv.compile(schema);
const taken = validate(JSON.parse(fs.readFileSync(process.argv[2], 'utf8')));
console.log(taken ? 'valid' : ajv.errorsText(validate.errors, { separator: '\n' }));
process.exitCode = taken ? 0 : 1;
