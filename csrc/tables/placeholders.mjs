// Writes csrc/core/placeholder_table.h: words that stand for no value, and their hashes, as tools make them that hash without looking:  make placeholder-table
import { createHash } from 'node:crypto';

const words = ['n/a', 'na', '#n/a', 'n.a.', 'none', 'null', 'nil', 'nan', 'unknown', 'undefined', 'test', '-', '--', '.', '0', 'x', '(blank)', 'blank', 'empty', 'tbd',
  'no email', 'noemail', 'no phone', 'not available', 'not provided', 'no', 'none@none', 'none@none.com', 'na@na.com', 'n/a@n/a.com', 'test@test.com',
  'noemail@noemail.com'];

// As it is in the list, in capitals, and with a first capital; and what other programs print for nothing.
const spellings = words.flatMap((w) => [w, w.toUpperCase(), w.replace(/[a-z]/, (c) => c.toUpperCase())]).concat('NaN', ' ', '\n', '\r\n', '""', '{}', '[]');
const hashes = [...new Set(spellings)].map((w) => createHash('sha256').update(w).digest('hex')).sort();

const lines = [];
for (const w of words) {
  const item = `${JSON.stringify(w)},`;
  if (lines.length && lines.at(-1).length + item.length + 1 <= 108) lines[lines.length - 1] += ` ${item}`;
  else lines.push(`  ${item}`);
}
console.log(`/* Written by csrc/tables/placeholders.mjs; do not edit. */
#ifndef SC3_PLACEHOLDER_TABLE_H
#define SC3_PLACEHOLDER_TABLE_H

/* Words that mean "none", in lowercase. */
static const char SC3_PLACEHOLDERS[][${Math.max(...words.map((w) => w.length)) + 1}] = {
${lines.join('\n')}
};

/* The SHA-256 of these in several spellings, and of other texts that hold nothing, in order. */
static const char SC3_PLACEHOLDER_HASHES[][65] = {
${hashes.map((h) => `  "${h}",`).join('\n')}
};

#endif`);
