/// The page's style for wide and narrow screens, light and dark, and for print.
let reportStyle = #"""
  :root { --ink: #222; --soft: #555; --line: #ccc; --paper: #fff; --head: #f4f4f4; --grid: #ddd; --link: #0060a0; }
  @media screen and (prefers-color-scheme: dark) {
    :root { --ink: #e6e6e6; --soft: #aaa; --line: #555; --paper: #16181b; --head: #24272b; --grid: #3a3d42; --link: #7cc0ff; }
    .drawing image { filter: invert(1) hue-rotate(180deg); }
  }
  body { font: 16px/1.5 sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 0 auto; padding: 1rem; }
  a { color: var(--link); }
  h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
  h2 { font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
  .lead { font-size: 1.2rem; }
  .origin { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
  nav a { margin-right: 1rem; white-space: nowrap; }
  .wide { overflow: auto; max-height: 40rem; margin: 1rem 0 0; }
  .hint { color: var(--soft); font-size: .8rem; margin: 0 0 1rem; min-height: 1.2em; }
  details { margin: 1rem 0; }
  summary { cursor: pointer; }
  table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
  caption { text-align: left; color: var(--soft); padding: .25rem 0; }
  th, td { padding: .2rem .5rem; text-align: right; border-bottom: 1px solid var(--grid); }
  td { white-space: nowrap; }
  th { vertical-align: bottom; }
  th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
  thead th { position: sticky; top: 0; background: var(--head); z-index: 1; }
  thead th:first-child { z-index: 2; background: var(--head); }
  thead button { font: inherit; font-weight: bold; color: inherit; text-align: inherit; border: 0; background: none; padding: 0; cursor: pointer; }
  thead button::after { content: " ↕"; color: var(--soft); }
  th[aria-sort=ascending] button::after { content: " ↑"; color: var(--ink); }
  th[aria-sort=descending] button::after { content: " ↓"; color: var(--ink); }
  .dense th, .dense td { padding: .1rem .25rem; font-size: .75rem; }
  .dense button::after { content: none; }
  figure { margin: 1rem 0; }
  .drawing svg { display: block; width: 100%; height: auto; }
  .drawing [color=black] { color: var(--ink); }
  .drawing [stroke=black] { stroke: var(--ink); }
  .drawing [fill=black] { fill: var(--ink); }
  .drawing [color=white] { color: var(--paper); }
  .drawing [stroke=white] { stroke: var(--paper); }
  .drawing .gridline { stroke: var(--grid); }
  .slim { display: none; }
  figcaption { color: var(--soft); font-size: .9rem; }
  audio { width: 100%; max-width: 30rem; }
  pre { overflow-x: auto; background: var(--head); padding: 1rem; font-size: .85rem; }
  @media screen and (max-width: 640px) {
    body { padding: .75rem; }
    .broad { display: none; }
    .slim { display: block; }
    th, td { padding: .2rem .3rem; font-size: .8rem; }
    td:first-child { white-space: normal; max-width: 7.5rem; overflow-wrap: break-word; }
  }
  @page { size: A4; margin: 14mm; }
  @page across { size: A4 landscape; margin: 8mm; }
  @media print {
    body { font-size: 10pt; max-width: none; padding: 0; }
    nav, figure:has(audio), .hint { display: none; }
    h2, caption, summary, thead { break-after: avoid; }
    h2 { break-inside: avoid; }
    figure, tr, .lead { break-inside: avoid; }
    .wide { overflow: visible; max-height: none; }
    details::details-content { content-visibility: visible; block-size: auto; }
    table { font-size: 7.5pt; max-width: 100%; }
    th, td, thead th, th:first-child, td:first-child { position: static; padding: 1pt 3pt; white-space: normal; }
    thead button::after { content: none; }
    pre { white-space: pre-wrap; overflow: visible; }
    #confusions { page: across; }
    #confusions h2 { margin-top: 0; }
    .dense th, .dense td { font-size: 6.5pt; padding: 1pt 1.5pt; }
  }
  """#
