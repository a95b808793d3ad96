// Compares phones with Google's own JavaScript, the npm package google-libphonenumber, on made-up inputs of all regions:  make oracle
//   node phones.mjs compare SEED COUNT INTERPRETER    prints every disagreement; needs LUA_PATH and LUA_CPATH of this tree
//   node phones.mjs write SEED COUNT > phones.tsv     the answers that spec/identity/phone_spec.lua replays
// Left out is the documented rejection, spreadsheet exponents and nothing else; the digits of other scripts than Google's JavaScript reads are not among the
// inputs.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.cwd() + '/'));
const { PhoneNumberUtil, PhoneNumberFormat } = require('google-libphonenumber');
const { countries, nonGeographic } = require('libphonenumber-js/metadata.max.json');
const google = PhoneNumberUtil.getInstance();
const regions = Object.keys(countries);
const worldwide = Object.entries(nonGeographic).map(([code, row]) => [code, ...row.slice(1)]); // +800 and its like

const [mode, seedText, countText, interpreter] = process.argv.slice(2);
let seed = Number(seedText);
const below = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff; return (seed >>> 8) % n; };
const pick = (list) => list[below(list.length)];

// A random text that a pattern of the metadata matches.
function sample(pattern) {
  const alternatives = (from, to) => {
    const parts = [];
    let depth = 0;
    let start = from;
    for (let i = from; i < to; i++) {
      const c = pattern[i];
      if (c === '\\') i++;
      else if (c === '[') i = pattern.indexOf(']', i);
      else if (c === '(') depth++;
      else if (c === ')') depth--;
      else if (c === '|' && depth === 0) { parts.push([start, i]); start = i + 1; }
    }
    parts.push([start, to]);
    return sequence(...pick(parts));
  };
  const atom = (at) => {
    const c = pattern[at];
    if (c === '(') {
      let depth = 1;
      let end = at + 1;
      for (; depth > 0; end++) {
        if (pattern[end] === '\\') end++;
        else if (pattern[end] === '[') end = pattern.indexOf(']', end);
        else if (pattern[end] === '(') depth++;
        else if (pattern[end] === ')') depth--;
      }
      const inner = pattern.startsWith('?:', at + 1) ? at + 3 : at + 1;
      return [() => alternatives(inner, end - 1), end];
    }
    if (c === '[') {
      const end = pattern.indexOf(']', at);
      const set = [];
      for (let i = at + 1; i < end; i++) {
        if (pattern[i + 1] === '-') { for (let d = +pattern[i]; d <= +pattern[i + 2]; d++) set.push(d); i += 2; }
        else if (pattern[i] === '\\') { i++; for (let d = 0; d < 10; d++) set.push(d); }
        else set.push(+pattern[i]);
      }
      return [() => String(pick(set)), end + 1];
    }
    if (c === '\\') return [() => String(below(10)), at + 2];
    return [() => (c === '$' ? '' : c), at + 1];
  };
  const sequence = (at, to) => {
    let text = '';
    while (at < to) {
      const [make, next] = atom(at);
      let [least, most] = [1, 1];
      at = next;
      const m = /^(?:\?|\{(\d+)(?:,(\d+))?\})/.exec(pattern.slice(at, to));
      if (m) {
        at += m[0].length;
        [least, most] = m[0] === '?' ? [0, 1] : [+m[1], +(m[2] ?? m[1])];
      }
      for (let n = least + below(most - least + 1); n > 0; n--) text += make();
    }
    return text;
  };
  return alternatives(0, pattern.length);
}

const PUNCTUATION = [' ', '-', '.', '(', ')', '/', '  ', ' - ', '\u00a0', '\u2013', '~', 'x', '', '', '', '', '', ''];
const EXTENSIONS = [' ext. 12', ' x34', '#5', ';ext=77', ', 99', ',,123', '; 8', ' extension 4', ' int 3', '-12#', ' Ext:7', 'доб 5', ' anexo 9', ' ext', ' x1234567890',
  '~4', ' ДОБ. 3', ' extensión 12', 'ｅｘｔ 3', ' X9', ' xtn 8#'];
const NOISE = ['tel:', 'call ', 'Phone: ', '(', '+', ' home', ' privat', ' / x 123', '/456', 'é', '模', 'w', '*', '\u200b', '\u3000', '＋', '١', '٣', '۵', '５', '\\ x2',
  ';isub=12', '#', '@', '%', 'A', 'ABC', '00', '011', '0', '1', '8', '++', '+ ', ''];
const ODD = ['\t', '\n', '"', "'", ':', '=', '?', '$', 'e', 'E', 't', 'N', 'i', 'X', 'x', '\u00ad', '\u0301', '\u2011', '\u2012', '\u2015', '\u2016', '\u2212', '\u30fc', '\u2053', '\u223c', '\u2060',
  '\uff03', '\uff08', '\uff09', '\uff0c', '\uff0d', '\uff0e', '\uff0f', '\uff1b', '\uff3b', '\uff3d', '\uff45', '\uff54', '\uff58', '\uff5e', 'Д', 'ó', 'Ó', '\u017f', '\u0130', '\u212a', '\u00b2', '\ufeff', '\ufffd',
  '\u2028', '\u0085', '\u{1f600}', '\u{10400}', ';', ',', '[', ']', '*', '/', '\\', '~', '#'];
const KEYPAD = ['ABC', 'DEF', 'GHI', 'JKL', 'MNO', 'PQRS', 'TUV', 'WXYZ'];

function national(row) {
  const types = (row[11] || []).filter((t) => Array.isArray(t) && t[0]);
  return sample(types.length > 0 && below(8) > 0 ? pick(types)[0] : row[2]);
}

function damage(n) {
  const at = below(n.length);
  switch (below(10)) {
    case 0: return n.slice(0, -1);
    case 1: return n + below(10);
    case 2: return n.slice(0, at) + below(10) + n.slice(at + 1);
    default: return n;
  }
}

function dial(row) {
  const n = damage(national(row));
  const own = row[5] || '';
  const idd = /^\d+$/.test(row[1] || '') ? row[1] : pick(['00', '011', '0011', '810', '00441']);
  const forms = [`+${row[0]}${n}`, `+${row[0]}${n}`, `+${row[0]}${n}`, own + n, own + n, own + n, n, idd + row[0] + n, row[0] + n, `+${row[0]}${own}${n}`,
    `+${row[0]}(0)${n}`, (row[7] && below(2) ? sample(row[7]) : own) + n];
  return pick(forms);
}

function dress(s) {
  const often = pick([0, 3, 6, 6]);
  if (often) s = [...s].map((c, i) => (i > 0 && below(often) === 0 ? c + pick(PUNCTUATION) : c)).join('');
  if (below(6) === 0) s += pick(EXTENSIONS);
  if (below(10) === 0) s = pick(NOISE) + s;
  if (below(10) === 0) s += pick(NOISE);
  if (below(20) === 0) { const at = below(s.length + 1); s = s.slice(0, at) + pick(NOISE) + s.slice(at); }
  if (below(12) === 0) {
    const chars = [...s];
    for (let n = 1 + below(2); n > 0; n--) chars.splice(below(chars.length + 1), below(2), pick(ODD));
    s = chars.join('');
  }
  if (below(25) === 0) { const zero = pick(['０', '٠', '۰']).codePointAt(0); s = s.replace(/\d/g, (d) => (below(2) ? String.fromCodePoint(zero + +d) : d)); }
  if (below(30) === 0) s = s.replace(/\d/g, (d) => (below(6) || d < 2 ? d : pick(KEYPAD[d - 2].split(''))));
  return s;
}

function soup() {
  let s = '';
  for (let n = 1 + below(14); n > 0; n--) s += below(3) ? String(below(1000)) : pick(pick([PUNCTUATION, PUNCTUATION, NOISE, EXTENSIONS]));
  return s;
}

const CONTEXTS = ['+1', '+44', '+1-206', '+(49)', '+39.0', '+', '++44', '+4a', '+٤٤', 'example.com', 'a', 'x-1.c-om.', '1.com', 'example.1', '-a.com', 'a-.com', 'a..b', '.', '', ' ', '+64 3'];

// A tel: URI (RFC 3966), well-formed or not.
function uri(region) {
  const row = countries[region];
  let s = below(3) ? dress(dial(row)) : damage(national(row));
  if (below(3)) s = 'tel:' + s;
  if (below(8) === 0) s = pick(NOISE) + s;
  s += ';phone-context=' + (below(3) ? `+${row[0]}` : pick(CONTEXTS));
  if (below(4) === 0) s += pick([';isub=12', ';ext=3', ';phone-context=+1', ' 5', ';', ' ']);
  return s;
}

// What csrc/core/identity/phone.c takes for a number that a spreadsheet spoilt.
const SPREADSHEET = /^[+'=-]?(?:[\d.,]*\d[\d.,]*[eE][+-]\d{1,3}|\d[.,]\d+[eE]\d{1,3})$/;

function* inputs(count) {
  while (count > 0) {
    const region = pick(regions);
    const plan = below(30) ? countries[region] : pick(worldwide);
    const text = below(25) === 0 ? uri(region) : below(6) ? dress(dial(plan)) : soup();
    if (SPREADSHEET.test(text.trim())) continue;
    count--;
    yield [below(8) ? region : below(4) ? pick(regions) : '', text];
  }
}

function answer(region, text) {
  try {
    const number = google.parse(text, region || undefined);
    return google.isValidNumber(number) ? google.format(number, PhoneNumberFormat.E164) : '';
  } catch {
    return '';
  }
}

const escape = (text) => [...text].map((c) => (/[ -[\]-~]/.test(c) ? c : Buffer.from(c).toString('hex').replace(/../g, '\\x$&'))).join('');

if (mode === 'write') {
  for (const [region, text] of inputs(+countText)) console.log(`${region}\t${escape(text)}\t${answer(region, text)}`);
} else {
  const cases = [...inputs(+countText)];
  const feed = cases.map(([region, text]) => `${region}\t${escape(text)}\n`).join('');
  const ours = spawnSync(interpreter, [fileURLToPath(new URL('phones.lua', import.meta.url))], { input: feed, maxBuffer: 2 ** 30 });
  if (ours.status !== 0) throw new Error(String(ours.stderr));
  const got = ours.stdout.toString().split('\n');
  let valid = 0;
  let wrong = 0;
  cases.forEach(([region, text], i) => {
    const want = answer(region, text);
    valid += want !== '';
    if (got[i] !== want && wrong++ < 20) console.log(JSON.stringify([region, text]), 'ours', got[i], 'Google', want);
  });
  console.log(`seed ${seedText}: ${cases.length} inputs, ${valid} valid, ${wrong} disagreements`);
  process.exitCode = wrong ? 1 : 0;
}
