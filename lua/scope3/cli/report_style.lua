--- The style of a report's page: light and dark as the reader's system is, one column on a phone, ink only on paper.
return [[
:root { --page: #f6f7f9; --card: #fff; --ink: #1c2430; --soft: #566172; --line: #dde2e9; --track: #e8ecf1;
  --plain: #2f6bd8; --good: #1f8a5b; --doubtful: #b9770e; --bad: #c23b34; --quiet: #93a0b2; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161c; --card: #1b212a; --ink: #e7ebf1; --soft: #a3aebd; --line: #303a47; --track: #2a333f;
    --plain: #6c9ff5; --good: #45b585; --doubtful: #e0a13f; --bad: #ef756d; --quiet: #74839a; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 64rem; padding: 2rem 1.25rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; }
h1 { margin: .5rem 0 1rem; font-size: 1.6rem; line-height: 1.25; font-weight: 650; text-wrap: balance; }
h2 { margin: 0 0 1rem; font-size: 1.05rem; line-height: 1.3; font-weight: 650; }
section, header, .tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
section, header { padding: 1.25rem 1.5rem 1.5rem; margin: 0 0 1rem; }
.status { display: inline-block; margin: 0; padding: .1rem .75rem; border-radius: 1rem; font-weight: 650;
  border: 2px solid currentColor; font-size: .9rem; }
.status.good { color: var(--good); }
.status.doubtful { color: var(--doubtful); }
.status.bad { color: var(--bad); }
.message { margin: 0 0 1rem; padding: .6rem .9rem; border-left: 4px solid var(--bad); background: var(--page); }
dl { display: grid; grid-template-columns: 8rem 1fr; margin: 0; }
dt, dd { margin: 0; padding: .3rem 0; }
dt { color: var(--soft); }
dt ~ dt, dd ~ dd { border-top: 1px solid var(--line); }
.tiles { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); }
.tiles li { padding: .9rem 1.1rem; }
.tiles b { display: block; font-size: 1.65rem; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--soft); font-size: .9rem; }
.notes ul { margin: 0; padding-left: 1.2rem; }
.notes li + li { margin-top: .5rem; }
.pair { display: flex; flex-wrap: wrap; gap: 1.25rem 2.5rem; align-items: flex-start; }
.chart { flex: 1 1 20rem; max-width: 28rem; }
.pair table { flex: 1 1 18rem; width: auto; }
.chart p { margin: .5rem 0 0; color: var(--soft); font-size: .85rem; }
.tall { flex: 1 1 18rem; max-height: 14.25rem; overflow-y: auto; }
.tall table { width: 100%; }
.tall thead th { position: sticky; top: 0; background: var(--card); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 13px; }
svg .n { text-anchor: end; font-variant-numeric: tabular-nums; }
svg .track { fill: var(--track); }
svg .axis { fill: var(--soft); }
svg .plain { fill: var(--plain); }
svg .good { fill: var(--good); }
svg .doubtful { fill: var(--doubtful); }
svg .bad { fill: var(--bad); }
svg .gap { fill: var(--card); }
svg .quiet { fill: var(--quiet); }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { padding: .35rem .5rem; text-align: left; vertical-align: top; font-weight: 400;
  border-bottom: 1px solid var(--line); }
tr > :first-child { padding-left: 0; }
tr > :last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: .85rem; }
tbody tr:last-child > * { border-bottom: 0; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.list .n { width: 1%; padding-right: 1rem; }
.wide { overflow-x: auto; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
footer { color: var(--soft); font-size: .85rem; padding: .5rem .25rem; }
@media (max-width: 40rem) {
  body { padding: 1rem .75rem; }
  section, header { padding: 1rem; }
  h1 { font-size: 1.3rem; }
  svg text { font-size: 14px; }
  dl { grid-template-columns: 1fr; }
  dt { padding-bottom: 0; }
  dd { padding-top: 0; }
  dd ~ dd { border-top: 0; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles li:last-child { grid-column: 1 / -1; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --track: #eee; --plain: #2f6bd8;
    --good: #1f8a5b; --doubtful: #b9770e; --bad: #c23b34; --quiet: #93a0b2; }
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  section, header { padding: .6rem .8rem; break-inside: avoid; border-radius: 0; }
  .tiles { grid-template-columns: repeat(5, 1fr); }
  .tiles li { padding: .4rem .6rem; border-radius: 0; }
  .pair { flex-wrap: nowrap; }
  .tall { max-height: none; overflow: visible; }
  rect, .status, .message { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
]]
