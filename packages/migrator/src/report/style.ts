/** The page's only style sheet: light, dark and on paper. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fbfaf8; --card: #fff; --ink: #1d2126; --soft: #5c6570; --line: #dcdfe3;
  --blue: #1f6feb; --area: #1f6feb22; --rate: #0f7b6c; --good: #176b3a; --goodground: #e4f3e9; --bad: #a3341a; --badground: #fbeae4;
  --pause: #b9770033; --health: #c2410c33; --cap: #7c83901f; --fence: #7c5cd633; }
@media screen and (prefers-color-scheme: dark) { :root { --ground: #14171b; --card: #1c2026; --ink: #e7eaee; --soft: #a0a9b4; --line: #343a43;
  --blue: #6ba4ff; --area: #6ba4ff26; --rate: #4cc7b3; --good: #7fd6a0; --goodground: #17301f; --bad: #f2a48d; --badground: #3a1f17;
  --pause: #e0a53144; --health: #f0763e44; --cap: #8b95a233; --fence: #a58bf044; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: .9rem; font-weight: 600; margin: 1rem 0 .4rem; color: var(--soft); }
p { margin: .5rem 0; } .soft { color: var(--soft); }
.badge { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; font-weight: 600; font-size: .85rem; vertical-align: .2rem; }
.good { background: var(--goodground); color: var(--good); } .bad { background: var(--badground); color: var(--bad); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.facts div, .card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem .9rem; }
.facts dt { color: var(--soft); font-size: .8rem; } .facts dd { margin: 0; font-size: 1.2rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.plot { display: grid; grid-template-columns: 4.6rem 1fr; column-gap: .5rem; margin-top: .3rem; }
.y { display: flex; flex-direction: column; justify-content: space-between; text-align: right; }
.y, .x { color: var(--soft); font-size: .75rem; font-variant-numeric: tabular-nums; line-height: 1; }
.x { display: flex; justify-content: space-between; grid-column: 2; padding-top: .4rem; }
svg { display: block; width: 100%; height: 11rem; overflow: visible; } svg.low { height: 6.5rem; }
svg * { vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); stroke-width: 1; } .pass { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 3 3; }
.done { fill: none; stroke: var(--blue); stroke-width: 2; stroke-linejoin: round; } .area { fill: var(--area); }
.rateline { fill: none; stroke: var(--rate); stroke-width: 1.5; stroke-linejoin: round; }
.pause { fill: var(--pause); } .health { fill: var(--health); } .rate { fill: var(--cap); } .fence { fill: var(--fence); }
.key { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin: .8rem 0 0; padding: 0; list-style: none; color: var(--soft); font-size: .8rem; }
.key svg { display: inline-block; width: 1.1rem; height: .7rem; margin-right: .4rem; overflow: hidden; border-radius: .15rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .875rem; }
th, td { text-align: left; padding: .45rem .8rem; border-top: 1px solid var(--line); vertical-align: top; }
thead th { border-top: 0; color: var(--soft); font-weight: 600; font-size: .8rem; white-space: nowrap; }
tbody th { font-weight: 600; min-width: 8rem; overflow-wrap: anywhere; } .n { text-align: right; white-space: nowrap; }
.line { white-space: nowrap; } .warn { color: var(--bad); font-weight: 600; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .8rem; }
@media screen and (max-width: 40rem) { main { padding: 1.25rem .9rem 2rem; } .facts { grid-template-columns: 1fr 1fr; } .plot { grid-template-columns: 3.9rem 1fr; }
  thead { display: none; } table, tbody { display: block; } tr { display: block; padding: .45rem .8rem; border-top: 1px solid var(--line); } tr:first-child { border-top: 0; }
  tr > * { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .15rem 0; text-align: right; white-space: normal; }
  tr > th { justify-content: flex-start; text-align: left; } td[data-name]::before { content: attr(data-name); color: var(--soft); text-align: left; flex: none; }
  td:not([data-name]) { justify-content: flex-start; text-align: left; } }
@media print { :root { --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; } body { font-size: 11px; } main { max-width: none; padding: 0; }
  .card, .facts div, tr { break-inside: avoid; } h2 { break-after: avoid; } .scroll { overflow: visible; } }
`
