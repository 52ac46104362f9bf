"""The style sheet of the review page: system fonts, light and dark, from 360 pixels on."""

STYLE = """\
:root {
  color-scheme: light dark;
  --ground: #f8f7f4;
  --surface: #ffffff;
  --text: #1d1e1c;
  --quiet: #5b5e59;
  --line: #dedcd5;
  --edge: #85867f;
  --accent: #0b6b5f;
  --changed: #7a4b00;
  --fault: #a4252c;
  --old: #fbe6e4;
  --new: #dff1e6;
}

@media (prefers-color-scheme: dark) {
  :root {
    --ground: #141716;
    --surface: #1c201f;
    --text: #e8ebe9;
    --quiet: #a4aca8;
    --line: #323836;
    --edge: #737c78;
    --accent: #62cbb7;
    --changed: #e8b765;
    --fault: #ff9a94;
    --old: #43211f;
    --new: #173a2a;
  }
}

* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body {
  max-width: 80rem;
  margin: 0 auto;
  padding: clamp(1rem, 4vw, 2.5rem);
  background: var(--ground);
  color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif;
  overflow-wrap: anywhere;
}

h1, h2, h3, h4, p, ol, ul, dl, dd, figure { margin: 0; padding: 0; }
ol, ul { list-style: none; }
h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -0.015em; }
h2 { font-size: 1.15rem; line-height: 1.3; }
h3 { font-size: 1rem; line-height: 1.4; }
h4 { font-size: 0.85rem; font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.lead, .about, .quiet, .path, dt { color: var(--quiet); }
.lead { margin-top: 0.35rem; }
.about { margin-top: 0.15rem; font-size: 0.9rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

.totals { display: flex; flex-wrap: wrap; gap: 0.75rem 2.5rem; margin-top: 1.5rem; }
.totals dt, .facts dt { font-size: 0.8rem; }
.totals dd { font-size: 1.35rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.notes { display: grid; gap: 0.35rem; margin-top: 1.5rem; }
.notes li { padding-left: 0.75rem; border-left: 3px solid var(--changed); font-size: 0.9rem; }

nav { margin-top: 1.5rem; padding: 0.6rem 0; border-block: 1px solid var(--line); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.35rem 1.5rem; }
nav a { color: var(--accent); text-underline-offset: 0.2em; }
nav b { color: var(--quiet); font-weight: 400; font-variant-numeric: tabular-nums; }

section { margin-top: 2.5rem; }
.list, .grid { display: grid; gap: 1rem; margin-top: 0.9rem; }
.grid { grid-template-columns: repeat(auto-fill, minmax(min(44%, 13rem), 1fr)); }
.card {
  display: grid;
  gap: 0.9rem 1.5rem;
  align-content: start;
  min-width: 0;
  padding: 1rem;
  border: 1px solid var(--line);
  border-radius: 10px;
  background: var(--surface);
}
.words { display: grid; gap: 0.75rem; align-content: start; min-width: 0; }
.small { gap: 0.5rem; padding: 0.75rem; }
.small img, .small .none { width: 100%; max-width: none; }

h3 { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 0.75rem; }
.state { color: var(--accent); font-size: 0.85rem; font-weight: 400; }
.sign {
  display: inline-block;
  min-width: 1.4em;
  margin-right: 0.4em;
  border: 1px solid;
  border-radius: 4px;
  font: 0.85rem/1.4 ui-monospace, Menlo, Consolas, monospace;
  text-align: center;
}
.changed, .remade, .moved, .updated { color: var(--changed); }
.undecided { color: var(--accent); }
.edited, .refused, .unclear, .waiting, .failed, .failure { color: var(--fault); }
.unchanged, .orphaned { color: var(--quiet); }
.failure { padding-left: 0.75rem; border-left: 3px solid; }
.prompt, .failure { max-width: 46rem; white-space: pre-line; }

.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(0, 1fr)); gap: 0.75rem; }
figure { display: flex; flex-direction: column; min-width: 0; }
img { display: block; max-width: 100%; height: auto; border-radius: 6px; }
figcaption { display: flex; flex-direction: column; margin-top: 0.4rem; font-size: 0.8rem; }
figcaption strong { font-weight: 600; }
.none {
  display: grid;
  place-items: center;
  width: 100%;
  max-width: 320px;
  aspect-ratio: 3 / 2;
  padding: 0.75rem;
  border: 1px dashed var(--edge);
  border-radius: 6px;
  color: var(--quiet);
  font-size: 0.85rem;
  text-align: center;
}

.difference dl { display: grid; gap: 0.35rem; margin-top: 0.25rem; }
.difference dl div { display: flex; gap: 0.75rem; align-items: baseline; }
.difference dt { flex: none; width: 2rem; font-size: 0.8rem; }
.difference dd { min-width: 0; max-width: 46rem; white-space: pre-line; }
del, ins { padding: 0.05em 0.15em; border-radius: 3px; color: inherit; }
del { background: var(--old); text-decoration: line-through; }
ins { background: var(--new); text-decoration: underline; text-underline-offset: 0.2em; }

.facts { display: flex; flex-wrap: wrap; gap: 0.35rem 1.75rem; font-variant-numeric: tabular-nums; }
.facts dd { font-size: 0.9rem; }
.small .facts { display: grid; }
.files { display: grid; gap: 0.15rem; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
.files .path { color: inherit; }
.path, input { font: 0.8rem/1.5 ui-monospace, Menlo, Consolas, monospace; }
summary { padding: 0.25rem 0; color: var(--accent); font-size: 0.85rem; cursor: pointer; }
details[open] { display: grid; gap: 0.6rem; }

.command { display: grid; gap: 0.2rem; max-width: 46rem; }
.command span { font-size: 0.8rem; color: var(--quiet); }
input {
  width: 100%;
  min-height: 2.5rem;
  padding: 0.35rem 0.75rem;
  border: 1px solid var(--edge);
  border-radius: 6px;
  background: var(--ground);
  color: inherit;
  text-overflow: ellipsis;
}
.candidates {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr));
  gap: 1.25rem 1rem;
}
.candidates li { display: grid; gap: 0.5rem; align-content: start; min-width: 0; }
.candidates h4 { font-size: 1rem; }
.picked { color: var(--accent); font-size: 0.85rem; font-weight: 400; }
.chosen img { outline: 3px solid var(--accent); outline-offset: 2px; }

@media (min-width: 56rem) {
  .list .card { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .list .card > h3, .list .card > .candidates, h3 + .words { grid-column: 1 / -1; }
}

@media print {
  nav, input { display: none; }
  .card { break-inside: avoid; }
}
"""
