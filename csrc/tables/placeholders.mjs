// Writes csrc/core/identity/placeholder_table.h: words that stand for no value, and their hashes, as tools make them that hash without looking:  make placeholder-table
import { createHash } from 'node:crypto';

// Words that say "no value" of anything. Spreadsheets' errors (#NAME?) and texts without letters and digits are told by their look, in csrc/core/identity/placeholder.c.
const general = ['n/a', 'na', '#n/a', '#nv', '#n/d', 'n.a.', 'n.a', 'none', 'null', 'nil', 'nan', 'unknown', 'undefined', '\\n', '(blank)', 'blank', 'empty',
  '(empty)', 'tbd', 'not available', 'not provided', 'not applicable', 'not set', '(not set)', '(null)', '<null>', '[null]', '(none)', '[none]', 'missing', '<na>', '#na', '#n/a n/a', '-nan',
  'inf', '-inf', 'infinity', '-infinity', '[object object]', '&nbsp;',
  'n/d', '{null}', '$null$', '<none>', '(unknown)', '(undefined)', '<undefined>', '[undefined]', '[object undefined]', '#getting_data', 'dbnull', 'system.dbnull', 'no value', 'no data',
  'not specified', 'unspecified', 'k.a.', 'k. a.', 'keine angabe', 'sin datos'];
// Further ones, which stand for no email and no phone. As an id or a universal id they may be somebody's.
const personal = ['test', '-', '--', '.', '0', 'x', 'no email', 'noemail', 'no phone', 'no', 'none@none', 'none@none.com', 'na@na.com', 'n/a@n/a.com', 'test@test.com',
  'noemail@noemail.com'];
const words = [...general, ...personal];

// By their length, those of anything first: a text is compared with the few that are as long.
const longest = Math.max(...words.map((w) => w.length));
const lengths = Array.from({ length: longest + 2 }, (_, n) => n);
const ofLength = (list, n) => list.filter((w) => w.length === n);
const sorted = lengths.flatMap((n) => [...ofLength(general, n), ...ofLength(personal, n)]);
const starts = lengths.map((n) => sorted.filter((w) => w.length < n).length);
const ends = lengths.map((n) => starts[n] + ofLength(general, n).length);

// As it is in the list, in capitals, and with a first capital; and what other programs print for nothing.
const spellings = words.flatMap((w) => [w, w.toUpperCase(), w.replace(/[a-z]/, (c) => c.toUpperCase())]).concat('NaN', ' ', '\n', '\r\n', '""', '{}', '[]');
const hashes = [...new Set(spellings)].map((w) => createHash('sha256').update(w).digest('hex')).sort();

function list(of) {
  const lines = [];
  for (const w of of) {
    const item = `${JSON.stringify(w)},`;
    if (lines.length && lines.at(-1).length + item.length + 1 <= 108) lines[lines.length - 1] += ` ${item}`;
    else lines.push(`  ${item}`);
  }
  return lines.join('\n');
}
function firsts(half) {
  const bits = words.map((w) => w.charCodeAt(0) - 64 * half).filter((bit) => bit >= 0 && bit < 64);
  return bits.reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n).toString(16);
}
console.log(`/* Written by csrc/tables/placeholders.mjs; do not edit. */
#ifndef SC3_PLACEHOLDER_TABLE_H
#define SC3_PLACEHOLDER_TABLE_H

#include <stdint.h>

/* Words that mean "none", in lowercase, by their length: of each length those of anything first, then those of emails and phones. */
static const char SC3_PLACEHOLDERS[][${longest + 1}] = {
${list(sorted)}
};

/* Where the words of a length begin, and where those of anything among them end. */
static const uint8_t SC3_PLACEHOLDERS_START[] = {${starts.join(', ')}};
static const uint8_t SC3_PLACEHOLDERS_GENERAL_END[] = {${ends.join(', ')}};

/* The characters that one begins with: a bit each. */
static const uint64_t SC3_PLACEHOLDER_FIRSTS[2] = {UINT64_C(0x${firsts(0)}), UINT64_C(0x${firsts(1)})};

/* The SHA-256 of these in several spellings, and of other texts that hold nothing: the first 64 bits of each, in order. */
static const uint64_t SC3_PLACEHOLDER_HASHES[] = {
${hashes.map((h, i) => (i % 4 ? ' ' : '  ') + `UINT64_C(0x${h.slice(0, 16)}),` + (i % 4 === 3 ? '\n' : '')).join('').trimEnd()}
};

#endif`);
