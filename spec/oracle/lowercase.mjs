// Compares lowercasing with Node's toLowerCase, and with libunistring over the code points that its Unicode version assigns, for every code point alone
// and in words, the ones with a sigma among them:  make oracle
//   node lowercase.mjs INTERPRETER [LIBUNISTRING-PROGRAM]    needs LUA_PATH and LUA_CPATH of this tree, and a Node of Unicode 17
// It ends with the digest of Node's answers, which spec/identity/lowercase_spec.lua holds.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const [interpreter, unistring] = process.argv.slice(2);
if (process.versions.unicode !== '17.0') throw new Error(`this Node has Unicode ${process.versions.unicode}, and not 17.0`);

const SIGMA = '\u03a3';
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
// A line for each code point; a tab between words, because it is neither cased nor case-ignorable.
export const line = (c) => [c, `a${c}B`, `a${SIGMA}${c}`, `a${SIGMA}${c}b`, `a${c}${SIGMA}`, `${c}${SIGMA}`].join('\t');
const inputs = [];
for (let cp = 0; cp <= 0x10ffff; cp++) if (cp !== 9 && cp !== 10 && (cp < 0xd800 || cp > 0xdfff)) inputs.push(cp);
const feed = inputs.map((cp) => line(String.fromCodePoint(cp))).join('\n') + '\n';
const want = inputs.map((cp) => line(String.fromCodePoint(cp)).toLowerCase());

function answers(command, args) {
  const child = spawnSync(command, args, { input: feed, maxBuffer: 2 ** 30 });
  if (child.status !== 0) throw new Error(`${command}: ${child.stderr}`);
  return child.stdout.toString().split('\n');
}

let failed = 0;
const ours = answers(interpreter, [here('lowercase.lua')]);
inputs.forEach((cp, i) => {
  if (ours[i] !== want[i] && failed++ < 20) console.log(`U+${cp.toString(16)}: ours ${JSON.stringify(ours[i])}, Node's ${JSON.stringify(want[i])}`);
});
console.log(`Node ${process.versions.node}, Unicode ${process.versions.unicode}: ${inputs.length} code points in 6 words each, ${failed} disagreements`);

if (unistring) {
  // The form of a sigma beside a character that is cased and case-ignorable at once (modifier letters) libunistring decides by the letter of the standard's
  // table 3-17, and Node (ICU) and Python otherwise: they look past it. And three characters have changed these properties since its Unicode 14. Node's answer,
  // compared above, is the one that counts there.
  const changed = new Set(["'", '\u0295', '\u{1171e}']);
  const isKnown = (c) => changed.has(c) || (/\p{Cased}/u.test(c) && /\p{Case_Ignorable}/u.test(c));
  const onlySigma = (a, b) => a.replaceAll('\u03c2', '\u03c3') === b.replaceAll('\u03c2', '\u03c3');
  const theirs = answers(unistring, []);
  let known = 0;
  let wrong = 0;
  let compared = 0;
  inputs.forEach((cp, i) => {
    if (theirs[i] === '') return; // not assigned
    compared++;
    if (theirs[i] === ours[i]) return;
    if (isKnown(String.fromCodePoint(cp)) && onlySigma(theirs[i], ours[i])) known++;
    else if (wrong++ < 20) console.log(`U+${cp.toString(16)}: ours ${JSON.stringify(ours[i])}, libunistring's ${JSON.stringify(theirs[i])}`);
  });
  failed += wrong;
  console.log(`libunistring: ${compared} assigned code points, ${wrong} disagreements, and ${known} characters beside which it forms a sigma otherwise`);
}
// Chained, so that nobody needs all of it at once.
let digest = '';
for (let at = 0; at < want.length; at += 4096) digest = createHash('sha256').update(digest + want.slice(at, at + 4096).join('\n')).digest('hex');
console.log(`digest of Node's answers: ${digest}`);
process.exitCode = failed ? 1 : 0;
