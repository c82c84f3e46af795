import { createHash } from 'node:crypto'
import type { PassCounts } from '../engine/counts.ts'
import { chart } from './chart.ts'
import type { Fact } from './facts.ts'
import { Html, markup } from './html.ts'
import { count } from './numbers.ts'
import type { Recording } from './recorder.ts'
import { STYLE } from './style.ts'
import { head2, table } from './table.ts'

/** A page that needs nothing else and loads nothing. */
export function shell(title: string, content: readonly (Html | null)[]): string {
  const hash = createHash('sha256').update(STYLE).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${new Html(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <main>
          ${content}
          <footer>Written by Rowseal. Counts and names only: no value, no key, no record.</footer>
        </main>
      </body>
    </html> `.text
}

/** @param began - ISO 8601. */
export function heading(direction: string, outcome: string, isGood: boolean, began: string): Html {
  return markup`<h1>
      rowseal ${direction}
      <span class="badge ${isGood ? 'good' : 'bad'}">${outcome}</span>
    </h1>
    <p class="soft">Begun ${began.slice(0, 19).replace('T', ' ')} UTC.</p>`
}

export function figures(facts: readonly (readonly [name: string, value: string])[]): Html {
  return markup`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        markup`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}

export function progress(recording: Recording): Html {
  return markup`<h2>Progress</h2>
    ${chart(recording)}
    ${recording.expected > 0 ? markup`<p class="soft">${count(recording.expected)} rows were found when it began.</p>` : null}`
}

export function modelTable(
  models: readonly (PassCounts & {
    readonly model: string
    readonly outcome: string
    readonly passes: number
  })[],
): Html {
  const rows = models.map((model) => [
    head2(model.model),
    model.outcome,
    ...[model.rows, model.superseded, model.quarantined, model.passes],
  ])
  const names = ['Model', 'Outcome', 'Written', 'Superseded', 'Quarantined', 'Passes']
  return markup`<h2>Models</h2>
    ${table(names, rows, 'Rows of each model, by this worker')}`
}

export function settings(facts: readonly Fact[]): Html {
  const rows = facts.map(({ name, value }) => [head2(name), value])
  return markup`<h2>How it was run</h2>
    ${table(['', ''], rows, 'Settings and versions', true)}`
}
