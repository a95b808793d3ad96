// Writes csrc/core/region_table.h: names of regions, from the npm package i18n-iso-countries, Node's own English names, and a list of spellings that
// CRM exports have:  make phone-metadata
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.cwd() + '/'));
const codes = require('i18n-iso-countries/codes.json');
const english = require('i18n-iso-countries/langs/en.json').countries;
const phones = require('libphonenumber-js/metadata.max.json').countries;
const display = new Intl.DisplayNames(['en'], { type: 'region' });

// Names that people write and the lists do not have.
const more = {
  AQ: ['Antarctica'], AX: ['Aland'], BA: ['Bosnia', 'Bosnia & Herzegovina'], BN: ['Brunei'], BO: ['Plurinational State of Bolivia'], BQ: ['Caribbean Netherlands', 'Bonaire'],
  CC: ['Cocos Islands', 'Keeling Islands', 'Cocos (Keeling) Islands (the)'], CD: ['DR Congo', 'DRC', 'Congo Kinshasa', 'Democratic Republic of the Congo', 'Congo, the Democratic Republic of the'], CG: ['Congo', 'Congo Brazzaville', 'Republic of the Congo'],
  CI: ['Ivory Coast'], CV: ['Cape Verde', 'Cabo Verde'], CZ: ['Czech Republic', 'Czechia'], FK: ['Falkland Islands', 'Malvinas'], FM: ['Micronesia'], GB: ['Great Britain', 'England', 'Scotland', 'Wales', 'Northern Ireland', 'U.K.'],
  IR: ['Iran', 'Islamic Republic of Iran'], KG: ['Kyrgyz Republic'], KP: ['North Korea', "Democratic People's Republic of Korea"], KR: ['Korea', 'South Korea', 'Republic of Korea'], LA: ['Laos', "Lao People's Democratic Republic"],
  LY: ['Libya', 'Libyan Arab Jamahiriya'], MD: ['Moldova', 'Republic of Moldova'], MF: ['Saint Martin', 'St Martin', 'Saint Martin (French part)'], MK: ['Macedonia', 'North Macedonia'], MM: ['Burma'], MO: ['Macau'],
  NL: ['Holland', 'The Netherlands'], PS: ['Palestine', 'Palestinian Territory', 'State of Palestine'], RU: ['Russia', 'Russian Federation'], SH: ['Saint Helena', 'Saint Helena, Ascension and Tristan da Cunha'], SJ: ['Svalbard & Jan Mayen Islands', 'Svalbard'],
  SK: ['Slovakia', 'Slovak Republic'], ST: ['Sao Tome'], SY: ['Syria', 'Syrian Arab Republic'], SZ: ['Swaziland', 'Eswatini'], TL: ['East Timor'], TR: ['Turkey', 'Turkiye'], TW: ['Taiwan'], TZ: ['Tanzania', 'United Republic of Tanzania'],
  US: ['United States', 'United States of America', 'USA', 'U.S.', 'U.S.A.', 'America'], VA: ['Vatican', 'Vatican City', 'Holy See', 'Vatican City State'], VE: ['Venezuela'], VG: ['British Virgin Islands'], VI: ['US Virgin Islands', 'United States Virgin Islands'],
  VN: ['Viet Nam', 'Vietnam'], XK: ['Kosovo'], AC: ['Ascension Island'], TA: ['Tristan da Cunha'],
};

// The short names of ISO 3166-1 that hold brackets or a comma.
const iso = {
  BO: ['Bolivia (Plurinational State of)'], CD: ['Congo (the Democratic Republic of the)'], CG: ['Congo (the)'], FK: ['Falkland Islands (the) [Malvinas]'], FM: ['Micronesia (Federated States of)'],
  GB: ['United Kingdom of Great Britain and Northern Ireland (the)'], IE: ['Ireland (Republic of)', 'Republic of Ireland'], IR: ['Iran (Islamic Republic of)'], KP: ["Korea (the Democratic People's Republic of)", "Korea, Democratic People's Republic of", 'Korea (North)', 'Korea, North'],
  KR: ['Korea (the Republic of)', 'Korea, Republic of', 'Korea (South)', 'Korea, South'], MD: ['Moldova (the Republic of)'], MK: ['Macedonia, the former Yugoslav Republic of'], NL: ['Netherlands (Kingdom of the)'],
  PS: ['Palestine, State of', 'Palestinian Territory, Occupied'], SX: ['Sint Maarten (Dutch part)', 'Saint Martin (Dutch part)'], TW: ['Taiwan (Province of China)', 'Taiwan, Province of China'], TZ: ['Tanzania, the United Republic of', 'Tanzania, United Republic of'],
  VE: ['Venezuela (Bolivarian Republic of)'], VG: ['Virgin Islands (British)', 'Virgin Islands, British'], VI: ['Virgin Islands (U.S.)', 'Virgin Islands, U.S.', 'Virgin Islands of the United States'],
};

// The same folding that the lookup does.
export const fold = (name) => name.normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/&/g, 'and').toLowerCase().replace(/[^a-z0-9]/g, '').replace(/^the(?=.)/, '');

const alpha3 = new Map(codes.map(([a2, a3]) => [a2, a3]));
const entries = new Map();
const taken = new Map();
const put = (name, code, sure) => {
  const key = fold(name);
  if (key.length < 2 || key.length > 60) return;
  const other = entries.get(key);
  if (other !== undefined && other !== code && sure) throw new Error(`${name}: ${other} or ${code}`);
  if (other === undefined) { entries.set(key, code); taken.set(key, name); }
};
const all = [...new Set([...Object.keys(phones), ...alpha3.keys()])];
for (const code of all) {
  put(code, code, true);
  if (alpha3.has(code)) put(alpha3.get(code), code, true);
}
for (const [code, names] of [...Object.entries(more), ...Object.entries(iso)]) for (const name of names) put(name, code, true);
for (const code of all) {
  for (const name of [english[code] ?? []].flat()) {
    put(name, code, false);
    const turned = /^(.*), (.*)$/.exec(name); // "Moldova, Republic of"
    if (turned) put(`${turned[2]} ${turned[1]}`, code, false);
  }
  put(display.of(code), code, false);
}
const rows = [...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1)).map(([key, code]) => `{"${key}", "${code}"},`);
const out = [];
for (const row of rows) {
  if (out.length && out.at(-1).length + row.length + 1 <= 108) out[out.length - 1] += ` ${row}`;
  else out.push(`  ${row}`);
}
console.log(`/* Written by csrc/tables/regions.mjs; do not edit. */
#ifndef SC3_REGION_TABLE_H
#define SC3_REGION_TABLE_H

/* Names of regions in lowercase letters and digits alone, in order, and their alpha-2 codes; not all have phones of their own. */
static const struct {
  const char *name;
  char code[3];
} SC3_REGION_NAMES[] = {
${out.join('\n')}
};

#endif`);
