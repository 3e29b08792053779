"""How the HTML pages look that samtta writes, light and dark; they refer to nothing outside."""

from __future__ import annotations

PAGE_STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c2330; --soft: #5b6575; --line: #d9dee6; --band: #f5f7fa;
  --yes: #00664a; --no: #a83f00; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171c; --ink: #e6e9ee; --soft: #a2abb9; --line: #333a45; --band: #1b2027; --yes: #4cc9a1; --no: #ff9a5c; }
}
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .2rem; }
p { margin: .2rem 0; color: var(--soft); max-width: 60rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .65rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { font-weight: 600; color: var(--soft); border-bottom-width: 2px; vertical-align: bottom; }
th.word, td.word { text-align: left; }
tbody tr:nth-child(even) { background: var(--band); }
.yes { color: var(--yes); font-weight: 600; }
.no { color: var(--no); font-weight: 600; }
svg { display: block; max-width: 100%; height: auto; margin: .6rem 0; }
svg text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif !important; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; font-size: .88rem; }
dt { font-weight: 600; }
dd { margin: 0; color: var(--soft); }
@media print { main { max-width: none; } h3, svg { break-inside: avoid; } }
"""
"""A style sheet; words stand in cells of the class `word`, a table in a division of the class `wide`."""
