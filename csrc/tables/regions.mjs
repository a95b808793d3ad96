// Writes csrc/core/identity/region_table.h: names of regions, from the npm package i18n-iso-countries, and lists of spellings that CRM exports have:
// make phone-metadata
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.cwd() + '/'));
const codes = require('i18n-iso-countries/codes.json');
const english = require('i18n-iso-countries/langs/en.json').countries;
const phones = require('libphonenumber-js/metadata.max.json').countries;

// Names that people write and the lists do not have.
const more = {
  AE: ['Emirates'], AQ: ['Antarctica'], AX: ['Aland'], BA: ['Bosnia', 'Bosnia & Herzegovina'], BL: ['Saint Barts', 'Saint Barths'], BN: ['Brunei'], BO: ['Plurinational State of Bolivia'], BQ: ['Caribbean Netherlands', 'Bonaire'],
  CC: ['Cocos Islands', 'Keeling Islands', 'Cocos (Keeling) Islands (the)'], CF: ['Central African Rep.'], CD: ['DR Congo', 'Congo, Dem. Rep.', 'Congo (DRC)', 'Congo - Kinshasa', 'DRC', 'Congo Kinshasa', 'Democratic Republic of the Congo', 'Congo, the Democratic Republic of the'], CG: ['Congo', 'Congo Brazzaville', 'Republic of the Congo', 'Congo, Rep.'], CN: ['Mainland China', 'PR China', 'China, mainland'],
  CI: ['Ivory Coast'], CV: ['Cape Verde', 'Cabo Verde'], CZ: ['Czech Republic', 'Czechia', 'Czech Rep.'], DO: ['Dominican Rep.'], EG: ['Egypt, Arab Rep.'], FK: ['Falkland Islands', 'Malvinas'], FM: ['Micronesia', 'Micronesia, Fed. Sts.'], GB: ['Great Britain', 'England', 'Scotland', 'Wales', 'Northern Ireland', 'U.K.', 'Britain'], GM: ['Gambia'], GR: ['EL', 'Hellas'],
  HK: ['Hong Kong SAR', 'Hong Kong SAR China', 'Hong Kong, China', 'Hong Kong S.A.R.'], HM: ['Heard & McDonald Islands'], GS: ['South Georgia', 'South Georgia & South Sandwich Islands'],
  IR: ['Iran', 'Islamic Republic of Iran', 'Iran, Islamic Rep.'], KG: ['Kyrgyz Republic'], KN: ['Saint Kitts', 'Saint Kitts & Nevis'], KP: ['North Korea', "Democratic People's Republic of Korea", "Korea, Dem. People's Rep.", 'DPRK'], KR: ['Korea', 'South Korea', 'Republic of Korea', 'Korea, Rep.'], LA: ['Laos', "Lao People's Democratic Republic", 'Lao PDR'],
  LY: ['Libya', 'Libyan Arab Jamahiriya'], MD: ['Moldova', 'Republic of Moldova'], MF: ['Saint Martin', 'St Martin', 'Saint Martin (French part)'], MK: ['Macedonia', 'North Macedonia', 'FYROM'], MM: ['Burma', 'Myanmar (Burma)'], MO: ['Macau', 'Macao', 'Macau SAR', 'Macao SAR', 'Macao SAR China', 'Macao, China'],
  NL: ['Holland', 'The Netherlands'], PM: ['Saint Pierre & Miquelon'], PS: ['Palestine', 'Palestinian Territory', 'Palestinian Territories', 'State of Palestine', 'West Bank and Gaza'], RE: ['La Reunion'], RU: ['Russia', 'Russian Federation'], SH: ['Saint Helena', 'Saint Helena, Ascension and Tristan da Cunha'], SJ: ['Svalbard & Jan Mayen Islands', 'Svalbard'],
  SK: ['Slovakia', 'Slovak Republic'], SX: ['Sint Maarten'], ST: ['Sao Tome'], SY: ['Syria', 'Syrian Arab Republic'], SZ: ['Swaziland', 'Eswatini'], TC: ['Turks & Caicos'], TL: ['East Timor'], TT: ['Trinidad'], TR: ['Turkey', 'Turkiye'], TW: ['Taiwan'], TZ: ['Tanzania', 'United Republic of Tanzania'],
  US: ['United States', 'United States of America', 'USA', 'U.S.', 'U.S.A.', 'America'], UM: ['U.S. Outlying Islands'], VA: ['Vatican', 'Vatican City', 'Holy See', 'Vatican City State'], VC: ['Saint Vincent', 'Saint Vincent & Grenadines'], VE: ['Venezuela', 'Venezuela, RB'], VG: ['British Virgin Islands'], VI: ['US Virgin Islands', 'United States Virgin Islands'],
  VN: ['Viet Nam', 'Vietnam'], YE: ['Yemen, Rep.'], XK: ['Kosovo'], AC: ['Ascension Island'], TA: ['Tristan da Cunha'],
};

// The short names of ISO 3166-1 that hold brackets or a comma.
const iso = {
  BO: ['Bolivia (Plurinational State of)'], CD: ['Congo (the Democratic Republic of the)'], CG: ['Congo (the)'], FK: ['Falkland Islands (the) [Malvinas]'], FM: ['Micronesia (Federated States of)'],
  GB: ['United Kingdom of Great Britain and Northern Ireland'], IE: ['Ireland (Republic of)', 'Republic of Ireland'], IR: ['Iran (Islamic Republic of)'], KP: ["Korea (the Democratic People's Republic of)", "Korea, Democratic People's Republic of", 'Korea (North)', 'Korea, North'],
  KR: ['Korea (the Republic of)', 'Korea, Republic of', 'Korea (South)', 'Korea, South'], MD: ['Moldova (the Republic of)'], MK: ['Macedonia, the former Yugoslav Republic of'], NL: ['Netherlands (Kingdom of the)'],
  PS: ['Palestine, State of', 'Palestinian Territory, Occupied'], SX: ['Sint Maarten (Dutch part)', 'Saint Martin (Dutch part)'], TW: ['Taiwan (Province of China)', 'Taiwan, Province of China'], TZ: ['Tanzania, the United Republic of', 'Tanzania, United Republic of'],
  VE: ['Venezuela (Bolivarian Republic of)'], VG: ['Virgin Islands (British)', 'Virgin Islands, British'], VI: ['Virgin Islands (U.S.)', 'Virgin Islands, U.S.', 'Virgin Islands of the United States'],
};

// The full names of ISO 3166-1, most of which are the short name behind what kind of state it is.
const full = {
  'Republic of': 'AL AM AO AT AZ BA BG BI BJ BW BY CI CL CM CO CR CU CY DJ EC EE FI FJ GH GN GQ GT GW GY HN HR HT ID IE IN IQ IS KE KI KZ LR LT LV MG ML MM MT MU MV MW MZ NA NI NR PA PE PL PW PY RS RW SC SG SI SL SM SN SR SS SV TD TJ TN TR TT UG UZ VU YE ZA ZM ZW',
  'Republic of the': 'CG MH NE PH SD GM', 'Federal Republic of': 'DE NG SO', 'Islamic Republic of': 'AF IR MR PK', "People's Republic of": 'BD CN',
  'Kingdom of': 'BE BH BT DK ES KH LS MA NO SA SE SZ TH TO', 'Kingdom of the': 'NL', 'Principality of': 'AD LI MC', 'State of': 'ER IL KW LY QA', 'Commonwealth of': 'AU DM',
  'Commonwealth of the': 'BS MP', 'Federal Democratic Republic of': 'ET NP', 'Democratic Republic of': 'ST TL', 'Independent State of': 'PG WS', 'Sultanate of': 'OM',
  'Union of the': 'KM', 'Union of': 'MM', 'Grand Duchy of': 'LU', 'Co-operative Republic of': 'GY', 'Plurinational State of': 'BO',
};
const fullOthers = {
  AR: ['Argentine Republic'], BN: ['Nation of Brunei'], BR: ['Federative Republic of Brazil'], CH: ['Swiss Confederation'], CV: ['Republic of Cape Verde', 'Republic of Cabo Verde'], DZ: ["People's Democratic Republic of Algeria"], EG: ['Arab Republic of Egypt'],
  FR: ['French Republic'], GA: ['Gabonese Republic'], GR: ['Hellenic Republic'], HK: ['Hong Kong Special Administrative Region of China'], IT: ['Italian Republic'], JO: ['Hashemite Kingdom of Jordan'],
  LB: ['Lebanese Republic'], LK: ['Democratic Socialist Republic of Sri Lanka'], MK: ['Republic of North Macedonia'], MO: ['Macao Special Administrative Region of China'], MX: ['United Mexican States'],
  PT: ['Portuguese Republic'], RW: ['Rwandese Republic'], TG: ['Togolese Republic'], UY: ['Eastern Republic of Uruguay'], VE: ['Bolivarian Republic of Venezuela'],
  VN: ['Socialist Republic of Viet Nam', 'Socialist Republic of Vietnam'],
};

// The countries that European and American exports name, in the languages whose letters the lookup folds. Not all countries: the lists of other languages
// are less exact than the English one ("Kongo" is either Congo), and each name takes room.
const spoken = ['de', 'es', 'fr', 'it', 'nl', 'pt'];
const common = 'AD AR AT AU BE BG BR CA CH CL CN CO CY CZ DE DK EE ES FI FR GB GR HR HU IE IL IN IS IT JP KR LI LT LU LV MC MT MX NL NO NZ PE PL PT RO RU SE SI SK SM TR UA US ZA'.split(' ');
// Names that those lists do not have, and what countries call themselves.
const abroad = {
  CN: ['Volksrepublik China'], CZ: ['Tchéquie'], DE: ['Bundesrepublik Deutschland', 'BRD'], DK: ['Danmark'], EE: ['Eesti'], FI: ['Suomi'],
  GB: ['Großbritannien', 'Grossbritannien', 'Grande-Bretagne', 'Gran Bretaña', 'Gran Bretagna', 'Groot-Brittannië', 'Grã-Bretanha'], HR: ['Hrvatska'], HU: ['Magyarország'], IE: ['Éire'],
  KR: ['Corea del Sur'], LI: ['Fürstentum Liechtenstein'], LT: ['Lietuva'], LV: ['Latvija'], NL: ['Holanda', 'Olanda'], NO: ['Norge'], PL: ['Polska'], SE: ['Sverige'], SI: ['Slovenija'],
  SK: ['Slovensko', 'Slowakische Republik'], US: ['États-Unis', 'Stati Uniti', 'EE.UU.'],
};

// The same folding that the lookup does.
export const fold = (name) => name.normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/&/g, 'and').toLowerCase().replace(/[^a-z0-9]/g, '').replace(/^the(?=.)/, '').replace(/(?<=.)the$/, '');

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
// "Saint Lucia", "St. Lucia" and "St Lucia" are one.
const spellings = (name) => [name, name.replace(/^Saint /, 'St '), name.replace(/^St\.? /, 'Saint ')];
for (const [code, names] of [...Object.entries(more), ...Object.entries(iso), ...Object.entries(fullOthers)]) for (const name of names.flatMap(spellings)) put(name, code, true);
for (const [kind, list] of Object.entries(full)) for (const code of list.split(' ')) for (const name of [english[code]].flat()) put(`${kind} ${name.replace(/^The /, '')}`, code, true);
for (const code of all) {
  for (const name of [english[code] ?? []].flat().flatMap(spellings)) {
    put(name, code, false);
    const turned = /^(.*), (.*)$/.exec(name); // "Moldova, Republic of"
    if (turned) put(`${turned[2]} ${turned[1]}`, code, false);
  }
}
// "Österreich" is "Oesterreich" where an export had no other letters.
const plain = (name) => name.replace(/ß/g, 'ss').replace(/[äöüÄÖÜ]/g, (letter) => `${letter.normalize('NFD')[0]}e`);
for (const language of spoken) {
  const { countries } = require(`i18n-iso-countries/langs/${language}.json`);
  for (const code of common) for (const name of [countries[code] ?? []].flat()) for (const one of language === 'de' ? [name, plain(name)] : [name]) put(one, code, true);
}
for (const [code, names] of Object.entries(abroad)) for (const name of names) for (const one of [name, plain(name)]) put(one, code, true);
// One text, and where its parts begin: an array of pointers would be several times as large, and relocated by every process.
const sorted = [...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1));
const lines = (items) => {
  const out = [];
  for (const item of items) {
    if (out.length && out.at(-1).length + item.length + 1 <= 108) out[out.length - 1] += ` ${item}`;
    else out.push(`  ${item}`);
  }
  return out.join('\n');
};
let offset = 0;
const at = sorted.map(([key]) => { offset += key.length + 3; return `${offset - key.length - 3},`; });
if (offset > 0xffff) throw new Error('too long');
console.log(`/* Written by csrc/tables/regions.mjs; do not edit. Names are those of the npm package i18n-iso-countries, Copyright (c) 2016 widdix GmbH, under the MIT
 * licence (its text is that of LICENSE), and further ones. */
#ifndef SC3_REGION_TABLE_H
#define SC3_REGION_TABLE_H

#include <stdint.h>

/* Alpha-2 codes, each with a name of it behind in lowercase letters and digits alone, in the order of the names; not all have phones of their own. */
#ifdef __GNUC__ /* C11 asks compilers for no more than 4095 bytes in a string; all that are used here take more */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char SC3_REGION_NAMES[] =
${lines(sorted.map(([key, code]) => `"${code}${key}\\0"`))};
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

/* Where each of them begins. */
static const uint16_t SC3_REGION_NAME_AT[] = {
${lines(at)}
};

#endif`);
