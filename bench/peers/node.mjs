// Node as one would write it: csv-parse, libphonenumber-js, node:crypto, bodies of 40,000 members. Run from the folder that holds node_modules.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.cwd() + '/'));
const { parse } = require('csv-parse');
const { parsePhoneNumberFromString } = require('libphonenumber-js');

const CODES = new Map(Object.entries({ 'United States': 'US', Germany: 'DE', France: 'FR', 'United Kingdom': 'GB', Norway: 'NO', Italy: 'IT', Spain: 'ES', Netherlands: 'NL', Sweden: 'SE', Brazil: 'BR', India: 'IN',
  Japan: 'JP', Australia: 'AU', Switzerland: 'CH' }));
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const sink = createWriteStream('/dev/null');
let members = [];
const send = () => { sink.write(JSON.stringify({ accountId: '25', audiences: [{ audienceId: 'crm', add: members }] })); members = []; };

for await (const row of createReadStream(process.argv[2]).pipe(parse({ columns: true }))) {
  const member = { externalId: row['Customer Id'], hashedEmail: sha256(row.Email.trim().toLowerCase()) };
  const phone = parsePhoneNumberFromString(row['Phone 1'], CODES.get(row.Country));
  if (phone?.isValid()) member.hashedPhone = sha256(phone.number);
  if (members.push(member) === 40000) send();
}
send();
