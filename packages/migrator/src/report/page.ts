import type { ModelReport, RunReport } from '../engine/events.ts'
import type { FieldAfter } from '../proof/after.ts'
import type { Fact } from './facts.ts'
import { Html, markup } from './html.ts'
import { count, duration } from './numbers.ts'
import type { Recording } from './recorder.ts'
import { figures, heading, modelTable, progress, settings, shell } from './shell.ts'
import { head2, table } from './table.ts'

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
  const { direction, outcome, models } = report
  return shell(`rowseal ${direction}: ${OUTCOMES[outcome]}`, [
    head(report, recording),
    progress(recording),
    modelTable(models),
    reconciliation(models),
    held(models),
    settings(facts),
  ])
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
  return markup`${heading(direction, OUTCOMES[outcome], isGood, began)} ${figures(facts)}`
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
