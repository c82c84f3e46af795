import { createHash } from 'node:crypto'
import type { ModelReport, RunReport } from '../engine/events.ts'
import type { FieldAfter } from '../proof/after.ts'
import { chart } from './chart.ts'
import type { Fact } from './facts.ts'
import { Html, markup } from './html.ts'
import { count, duration } from './numbers.ts'
import type { Recording } from './recorder.ts'
import { STYLE } from './style.ts'

const OUTCOMES: Readonly<Record<RunReport['outcome'], string>> = {
  done: 'done',
  incomplete: 'incomplete',
  stopped: 'stopped',
  cancelled: 'cancelled',
}

/**
 * A report as one HTML page that needs nothing else and loads nothing: names and numbers, no values, no keys of
 * records, no addresses.
 *
 * @param facts - how it was run: `factsOf`.
 */
export function htmlReport(
  report: RunReport,
  recording: Recording,
  facts: readonly Fact[],
): string {
  const hash = createHash('sha256').update(STYLE).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const title = `rowseal ${report.direction}: ${OUTCOMES[report.outcome]}`
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
          ${head(report, recording)}
          <h2>Progress</h2>
          ${chart(recording)}
          ${recording.expected > 0 ? markup`<p class="soft">${count(recording.expected)} rows were found when it began.</p>` : null}
          <h2>Models</h2>
          ${models(report)} ${reconciliation(report.models)} ${held(report.models)}
          <h2>How it was run</h2>
          ${table(
            ['', ''],
            facts.map(({ name, value }) => [head2(name), value]),
            'Settings and versions',
            true,
          )}
          <footer>Written by Rowseal. Counts and names only: no value, no key, no record.</footer>
        </main>
      </body>
    </html> `.text
}

function head(report: RunReport, { began }: Recording): Html {
  const { direction, outcome, rows, superseded, quarantined, seconds } = report
  const left = report.models.reduce((sum, { after }) => sum + (after?.left ?? 0), 0)
  const isCounted = report.models.every(({ after }) => after !== null)
  const facts: readonly (readonly [string, string])[] = [
    ['Rows written', count(rows)],
    ['Time', duration(seconds * 1000)],
    ['Rows per second', count(seconds === 0 ? 0 : rows / seconds)],
    ['Superseded', count(superseded)],
    ['In quarantine', count(quarantined)],
    ['Left after', isCounted ? count(left) : 'not counted'],
  ]
  const isGood = outcome === 'done' && left === 0
  return markup`<h1>
      rowseal ${direction}
      <span class="badge ${isGood ? 'good' : 'bad'}">${OUTCOMES[outcome]}</span>
    </h1>
    <p class="soft">Begun ${began.slice(0, 19).replace('T', ' ')} UTC.</p>
    <dl class="facts">
      ${facts.map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>`
}

function models(report: RunReport): Html {
  const rows = report.models.map((model) => [
    head2(model.model),
    model.outcome,
    ...[model.rows, model.superseded, model.quarantined, model.passes],
  ])
  const names = ['Model', 'Outcome', 'Written', 'Superseded', 'Quarantined', 'Passes']
  return table(names, rows, 'Rows of each model, by this worker')
}

function reconciliation(all: readonly ModelReport[]): Html | null {
  const rows = all.flatMap(({ model, reconciliation: fields }) =>
    fields.map((field) => [
      head2(`${model}.${field.field}`),
      ...[field.read, field.changed, field.superseded, field.fresh],
      field.quarantined === 0 ? 0 : markup`<span class="warn">${count(field.quarantined)}</span>`,
    ]),
  )
  if (rows.length === 0) return null
  const names = ['Field', 'Read', 'Changed', 'Superseded', 'Fresh', 'Quarantined']
  return markup`<h2>What became of each field</h2>
    <p class="soft">
      Rows since the run began, by all workers. Read is the sum of the others; a superseded row is
      read again by a later pass.
    </p>
    ${table(names, rows, 'Rows of each field')}`
}

function held(all: readonly ModelReport[]): Html | null {
  const counted = all.flatMap(({ model, after }) => (after === null ? [] : [{ model, after }]))
  if (counted.length === 0) return null
  const rows = counted.flatMap(({ model, after }) =>
    after.fields.map((field) => [
      head2(`${model}.${field.field}`),
      versions(field),
      ...[field.plaintext, field.malformed, field.null],
      field.left === 0 ? 0 : markup`<span class="warn">${count(field.left)}</span>`,
    ]),
  )
  const at = counted.map(({ after }) => after.at.slice(0, 19).replace('T', ' ')).at(-1)!
  const names = ['Field', 'By key version', 'Plaintext', 'Malformed', 'Null', 'Left']
  return markup`<h2>What the tables hold after</h2>
    <p class="soft">
      Values, counted by the database in one snapshot of each table (${at} UTC). Left is what the
      run was to leave none of.
    </p>
    ${table(names, rows, 'Values of each field')}`
}

function versions({ versions: all }: FieldAfter): Html | string {
  if (all.length === 0) return 'none'
  return markup`${all.map(({ keyId, version, count: n }) => {
    const name = version === null ? `unknown key ${keyId}` : `version ${version} (key ${keyId})`
    return markup`<div class="line">${name}: ${count(n)}</div>`
  })}`
}

class Heading extends Html {}

/** The cell that says what its row is about. */
function head2(name: string): Heading {
  return new Heading(markup`${name}`.text)
}

function table(
  names: readonly string[],
  rows: readonly (readonly (Html | string | number)[])[],
  caption: string,
  isPlain = false,
): Html {
  const isNumber = names.map((_, i) => rows.some((row) => typeof row[i] === 'number'))
  const cell = (value: Html | string | number, i: number): Html => {
    if (value instanceof Heading) return markup`<th scope="row">${value}</th>`
    const text = typeof value === 'number' ? count(value) : value
    const name = names[i]!
    if (name === '') return markup`<td>${text}</td>`
    return markup`<td data-name="${name}" class="${isNumber[i]! ? 'n' : ''}"><span>${text}</span></td>`
  }
  const heads = names.map((name, i) =>
    isNumber[i]!
      ? markup`<th scope="col" class="n">${name}</th>`
      : markup`<th scope="col">${name}</th>`,
  )
  return markup`<div class="scroll">
    <table aria-label="${caption}">
      ${
        isPlain
          ? null
          : markup`<thead>
              <tr>
                ${heads}
              </tr>
            </thead>`
      }
      <tbody>
        ${rows.map(
          (row) =>
            markup`<tr>
              ${row.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
