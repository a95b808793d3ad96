// Writes csrc/core/identity/phone_table.h from metadata.max.json of the npm package libphonenumber-js:  make phone-metadata
// Node and npm are needed for this alone; the table is committed.
//
// Every number pattern of libphonenumber is a finite language of digits, so each becomes an acyclic automaton, and all share one graph of nodes
// that are equal only when they are the same. The validity of a calling code's numbers, decided by libphonenumber region by region and type by
// type, is folded into one automaton. Prefix patterns become programs for a small backtracking matcher.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.cwd() + '/'));
const metadata = require('libphonenumber-js/metadata.max.json');
const packageVersion = process.argv[2];
const upstream = process.argv[3];
const LONGEST = 17;

// --- patterns ---------------------------------------------------------------------------------------------------------

function parse(pattern) {
  let at = 0;
  let groups = 0;
  const alternatives = () => {
    const list = [sequence()];
    while (pattern[at] === '|') { at++; list.push(sequence()); }
    return list.length === 1 ? list[0] : { kind: 'or', list };
  };
  const sequence = () => {
    const list = [];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') list.push(repeated());
    return { kind: 'then', list };
  };
  const repeated = () => {
    let item = atom();
    for (;;) {
      if (pattern[at] === '?') { at++; item = { kind: 'times', item, least: 0, most: 1 }; continue; }
      const m = /^\{(\d+)(?:,(\d+))?\}/.exec(pattern.slice(at));
      if (!m) return item;
      at += m[0].length;
      item = { kind: 'times', item, least: +m[1], most: m[2] === undefined ? +m[1] : +m[2] };
    }
  };
  const atom = () => {
    const c = pattern[at++];
    if (c === '(') {
      const capture = pattern.slice(at, at + 2) !== '?:';
      if (!capture) at += 2;
      const group = capture ? ++groups : 0;
      const item = alternatives();
      if (pattern[at++] !== ')') throw new Error(`unbalanced: ${pattern}`);
      return capture ? { kind: 'group', item, group } : item;
    }
    if (c === '\\' && pattern[at] === 'd') { at++; return { kind: 'digit', mask: 0x3ff }; }
    if (c === '[') {
      let mask = 0;
      while (pattern[at] !== ']') {
        if (pattern[at] === '\\') { at += 2; mask = 0x3ff; continue; }
        const from = +pattern[at++];
        let to = from;
        if (pattern[at] === '-') { to = +pattern[at + 1]; at += 2; }
        for (let d = from; d <= to; d++) mask |= 1 << d;
      }
      at++;
      return { kind: 'digit', mask };
    }
    if (c === '$') return { kind: 'end' };
    if (/\d/.test(c)) return { kind: 'digit', mask: 1 << +c };
    throw new Error(`${c} in ${pattern}`);
  };
  const tree = alternatives();
  if (at !== pattern.length) throw new Error(`rest of ${pattern}`);
  return { tree, groups };
}

// --- automata ---------------------------------------------------------------------------------------------------------

// A nondeterministic automaton: state 0 is its end; `prefix` makes everything that begins with the pattern match.
function automaton(pattern, prefix = false) {
  const moves = [[]]; // state -> [mask, next]
  const jumps = [[]]; // state -> next, for nothing
  const state = () => { moves.push([]); jumps.push([]); return moves.length - 1; };
  const build = (node, next) => {
    switch (node.kind) {
      case 'digit': { const s = state(); moves[s].push([node.mask, next]); return s; }
      case 'then': return node.list.reduceRight((after, item) => build(item, after), next);
      case 'or': { const s = state(); for (const item of node.list) jumps[s].push(build(item, next)); return s; }
      case 'group': return build(node.item, next);
      case 'times': {
        let s = next;
        for (let i = node.most; i > node.least; i--) { const skip = state(); jumps[skip].push(build(node.item, s), next); s = skip; }
        for (let i = 0; i < node.least; i++) s = build(node.item, s);
        return s;
      }
    }
    throw new Error(node.kind);
  };
  const start = build(parse(pattern).tree, 0);
  if (prefix) moves[0].push([0x3ff, 0]);
  const close = (set) => {
    const todo = [...set];
    while (todo.length) for (const n of jumps[todo.pop()]) if (!set.has(n)) { set.add(n); todo.push(n); }
    return [...set].sort((a, b) => a - b);
  };
  const cache = new Map();
  const step = (key, d) => {
    const id = `${key}/${d}`;
    let result = cache.get(id);
    if (result === undefined) {
      const set = new Set();
      for (const s of key === '' ? [] : key.split(',')) for (const [mask, next] of moves[s]) if (mask >> d & 1) set.add(next);
      result = close(set).join(',');
      cache.set(id, result);
    }
    return result;
  };
  return { start: close(new Set([start])).join(','), step, accepts: (key) => key === '0' || key.startsWith('0,') };
}

// Nodes of the one graph: { accept, next[10] }; node 0 is the dead end.
const nodes = [{ accept: false, next: new Array(10).fill(0) }];
const known = new Map();
function node(accept, next) {
  if (!accept && next.every((n) => n === 0)) return 0;
  const key = `${accept}${next}`;
  let id = known.get(key);
  if (id === undefined) { id = nodes.length; nodes.push({ accept, next }); known.set(key, id); }
  return id;
}

// The graph's root for what `decide(which patterns match here, how many digits)` says, over several automata at once.
function fold(automata, decide) {
  const memo = new Map();
  const visit = (keys, depth) => {
    if (keys.every((k) => k === '')) return 0;
    const id = `${depth}|${keys.join('|')}`;
    let result = memo.get(id);
    if (result === undefined) {
      const next = [];
      for (let d = 0; d < 10; d++) next.push(depth === LONGEST ? 0 : visit(keys.map((k, i) => automata[i].step(k, d)), depth + 1));
      result = node(decide(keys.map((k, i) => automata[i].accepts(k)), depth), next);
      memo.set(id, result);
    }
    return result;
  };
  return visit(automata.map((a) => a.start), 0);
}

// --- regions ----------------------------------------------------------------------------------------------------------

const isPattern = (p) => typeof p === 'string' && p !== '';
const KINDS = ['fixed', 'mobile', 'tollFree', 'premium', 'personal', 'voicemail', 'uan', 'pager', 'voip', 'sharedCost']; // in the order of the package
function region(code, row) {
  return {
    code, callingCode: row[0], idd: row[1] || '', pattern: row[2], lengths: row[3], prefix: isPattern(row[7]) ? row[7] : row[5] || '',
    rule: row[8] || '', leading: isPattern(row[10]) ? row[10] : '',
    types: (row[11] || []).map((t, i) => ({ kind: KINDS[i], pattern: t && t[0], lengths: (t && t[1]) || row[3] })).filter((t) => isPattern(t.pattern)),
  };
}
const regions = Object.entries(metadata.countries).map(([code, row]) => region(code, row));
const byCode = new Map(regions.map((r) => [r.code, r]));
for (const [cc, row] of Object.entries(metadata.nonGeographic)) {
  const r = region('001', [cc, ...row.slice(1)]);
  regions.push(r);
  byCode.set(cc, r);
}

// Two automata of a calling code: the numbers that are valid behind it, and those of them that libphonenumber calls mobile and nothing else.
function validity(list) {
  const automata = [];
  const plans = list.map((r) => {
    const add = (pattern, prefix) => automata.push(automaton(pattern, prefix)) - 1;
    return { r, leading: r.leading ? add(r.leading, true) : -1, general: add(r.pattern), types: r.types.map((t) => ({ ...t, at: add(t.pattern) })) };
  });
  // The kinds of a number in the region that it belongs to: the first one, in order, whose leading digits it has, or that knows its kind.
  const kinds = (matched, depth) => {
    for (const p of plans) {
      const known = matched[p.general] && p.r.lengths.includes(depth) ? p.types.filter((t) => matched[t.at] && t.lengths.includes(depth)).map((t) => t.kind) : [];
      if (list.length === 1 || (p.leading >= 0 ? matched[p.leading] : known.length > 0)) return known;
    }
    return [];
  };
  return {
    valid: fold(automata, (matched, depth) => kinds(matched, depth).length > 0),
    mobile: fold(automata, (matched, depth) => kinds(matched, depth).join() === 'mobile'),
  };
}

const callingCodes = [];
for (const [cc, codes] of Object.entries(metadata.country_calling_codes)) callingCodes.push({ cc: +cc, main: regions.indexOf(byCode.get(codes[0])), ...validity(codes.map((c) => byCode.get(c))) });
for (const cc of Object.keys(metadata.nonGeographic)) callingCodes.push({ cc: +cc, main: regions.indexOf(byCode.get(cc)), ...validity([byCode.get(cc)]) });
callingCodes.sort((a, b) => a.cc - b.cc);
for (const r of regions) r.general = fold([automaton(r.pattern)], (matched) => matched[0]);

// --- programs for prefixes --------------------------------------------------------------------------------------------

// The digits that a text may begin with to match a pattern: all of them when the pattern matches nothing too.
function firsts(n) {
  switch (n.kind) {
    case 'digit': return { mask: n.mask, empty: false };
    case 'group': return firsts(n.item);
    case 'times': { const f = firsts(n.item); return { mask: f.mask, empty: f.empty || n.least === 0 }; }
    case 'or': return n.list.map(firsts).reduce((a, b) => ({ mask: a.mask | b.mask, empty: a.empty || b.empty }));
    case 'then': {
      let mask = 0;
      for (const item of n.list) {
        const f = firsts(item);
        mask |= f.mask;
        if (!f.empty) return { mask, empty: false };
      }
      return { mask, empty: true };
    }
    default: return { mask: 0, empty: true };
  }
}

// A word is an operation in its four high bits and an argument below; SPLIT and JUMP take distances.
const OP = { DIGIT: 0, SPLIT: 1, JUMP: 2, SAVE: 3, END: 4, MATCH: 5 };
const words = [];
const programs = new Map();
function program(pattern) {
  if (programs.has(pattern)) return programs.get(pattern);
  const out = [];
  const emit = (op, arg = 0) => { out.push({ op, arg }); return out.length - 1; };
  const { tree, groups } = parse(pattern);
  const write = (n) => {
    switch (n.kind) {
      case 'digit': emit(OP.DIGIT, n.mask); break;
      case 'end': emit(OP.END); break;
      case 'then': n.list.forEach(write); break;
      case 'group': emit(OP.SAVE, 2 * n.group); write(n.item); emit(OP.SAVE, 2 * n.group + 1); break;
      case 'or': {
        const jumps = [];
        n.list.forEach((item, i) => {
          if (i === n.list.length - 1) { write(item); return; }
          const split = emit(OP.SPLIT);
          write(item);
          jumps.push(emit(OP.JUMP));
          out[split].arg = out.length - split;
        });
        for (const j of jumps) out[j].arg = out.length - j;
        break;
      }
      case 'times': {
        for (let i = 0; i < n.least; i++) write(n.item);
        const splits = [];
        for (let i = n.least; i < n.most; i++) { splits.push(emit(OP.SPLIT)); write(n.item); }
        for (const s of splits) out[s].arg = out.length - s;
        break;
      }
    }
  };
  write(tree);
  emit(OP.MATCH);
  const at = words.length;
  for (const { op, arg } of out) { if (arg > 0xfff) throw new Error('too far'); words.push(op << 12 | arg); }
  const first = firsts(tree);
  const result = { at, groups, firsts: first.empty ? 0x3ff : first.mask };
  programs.set(pattern, result);
  return result;
}
words.push(OP.MATCH << 12); // so that no program is number 0

const rules = [''];
function rule(text) {
  if (text === '') return [0, 0];
  const m = /^(\d*)\$(\d)$/.exec(text);
  if (!m || m[1].length > 8) throw new Error(text); // SC3_DIGITS_ROOM
  let at = rules.indexOf(m[1]);
  if (at < 0) at = rules.push(m[1]) - 1;
  return [at, +m[2]];
}

// --- the file ---------------------------------------------------------------------------------------------------------

// Whether a number may end is told by the edge that leads to a node, so that one load is one step.
const ACCEPTS = 0x8000;
if (nodes.length > ACCEPTS) throw new Error('too many nodes');
const edges = nodes.flatMap((n) => n.next.map((to) => (to && nodes[to].accept ? to | ACCEPTS : to)));
const lines = (list) => {
  const out = [];
  for (const item of list) {
    if (out.length && out.at(-1).length + item.length + 1 <= 108) out[out.length - 1] += ` ${item}`;
    else out.push(`  ${item}`);
  }
  return out.join('\n');
};
const hex = (n) => `0x${n.toString(16)},`;
const rows = regions.map((r) => {
  const idd = r.idd ? program(r.idd) : { at: 0, firsts: 0 };
  const prefix = r.prefix ? program(r.prefix) : { at: 0, groups: 0, firsts: 0 };
  const [text, group] = rule(r.rule);
  const mask = r.lengths.reduce((m, l) => m | 1 << l, 0);
  return `{"${r.code}", ${r.callingCode}, ${idd.at}, ${hex(idd.firsts)} ${prefix.at}, ${hex(prefix.firsts)} ${prefix.groups}, ${text}, ${group}, ${r.general}, 0x${mask.toString(16)}},`;
});

console.log(`/* Written by csrc/tables/phone.mjs from metadata.max.json of libphonenumber-js ${packageVersion} (libphonenumber ${upstream}); do not edit.
 *
 * Metadata: Copyright (C) 2009 The Libphonenumber Authors, under the Apache License 2.0 (see LICENSE.Apache-2.0). It was reduced and
 * compiled: formats were left out, and patterns became automata and programs. */
#ifndef SC3_PHONE_TABLE_H
#define SC3_PHONE_TABLE_H

#include <stdint.h>

#define SC3_PHONE_METADATA_VERSION "${upstream}"

/* For each node and digit the node that it leads to, 0 for none, and bit 15 when a number may end there. */
static const uint16_t SC3_PHONE_NEXT[] = {
${lines(edges.map((n) => `${n},`))}
};

/* Programs of prefixes: an operation in the four high bits, its argument below. */
static const uint16_t SC3_PHONE_WORDS[] = {
${lines(words.map(hex))}
};

/* What the rules of prefixes put before a group. */
static const char *const SC3_PHONE_RULES[] = {
${lines(rules.map((r) => `"${r}",`))}
};

/* A region's own plan: how it dials abroad and at home (a program, and the digits that what it matches begins with), and which numbers and lengths it
 * has at all. */
static const struct {
  char code[4];
  uint16_t calling_code, idd, idd_firsts, prefix, prefix_firsts;
  uint8_t groups, rule_text, rule_group;
  uint16_t general;
  uint32_t lengths;
} SC3_PHONE_REGIONS[] = {
${rows.map((r) => `  ${r}`).join('\n')}
};

/* A calling code: its main region, and the numbers that are valid, and that are mobile ones, behind it. */
static const struct {
  uint16_t code, main, valid, mobile;
} SC3_PHONE_CALLING_CODES[] = {
${lines(callingCodes.map((c) => `{${c.cc}, ${c.main}, ${c.valid}, ${c.mobile}},`))}
};

/* For a number below 1000, 1 and the place of the calling code that it is; 0 for none. */
static const uint8_t SC3_PHONE_CODE_AT[1000] = {
${lines([...Array(1000).keys()].map((n) => `${callingCodes.findIndex((c) => c.cc === n) + 1},`))}
};

/* For two letters, as in base 26, 1 and the place of the region; 0 for none. */
static const uint8_t SC3_PHONE_REGION_AT[26 * 26] = {
${lines([...Array(676).keys()].map((n) => `${regions.findIndex((r) => r.code === String.fromCharCode(65 + Math.floor(n / 26), 65 + (n % 26))) + 1},`))}
};

#endif`);
console.error(`${nodes.length} nodes, ${words.length} words, ${regions.length} regions, ${callingCodes.length} calling codes`);
