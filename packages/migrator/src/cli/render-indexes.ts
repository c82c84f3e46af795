import type { IndexReport, ReindexReport } from '../reindex/options.ts'
import type { IndexPlan, ReindexPlan } from '../reindex/plan.ts'
import type { Quarantined } from '../runs/quarantine.ts'
import type { IndexStatus } from '../status-indexes.ts'
import type { IndexVerification } from '../verify/options.ts'
import { count, table } from './output.ts'
import { modelTable } from './render-run.ts'

/** Reports about blind indexes for people. Pure: a report in, text out. */

export function renderIndexes(indexes: readonly IndexStatus[]): string {
  const rows = indexes.map((index) => [
    index.index,
    index.isUnique ? 'unique' : '',
    !index.isRegistered ? 'not registered' : index.isComplete ? 'allowed' : 'refused',
    index.phase ?? '',
    index.missing,
    index.pending,
    index.quarantined,
    index.columns
      .flatMap(({ column, versions }) =>
        versions.map(({ keyId, count: n }) => `${column} key ${keyId}: ${count(n)}`),
      )
      .join(', '),
  ])
  return table(
    ['index', '', 'look-ups', 'phase', 'missing', 'to reindex', 'quarantined', 'by key'],
    rows,
  )
}

export function renderIndexChecks(indexes: readonly IndexVerification[]): string {
  const rows = indexes.map(({ index, right, bad }) => [
    index,
    right,
    bad.reduce((sum, { count: n }) => sum + n, 0),
    bad.map(({ code, count: n }) => `${code}: ${count(n)}`).join(', '),
  ])
  return table(['index', 'right', 'bad', 'by code'], rows)
}

export function renderReindexPlan({ models, rows }: ReindexPlan): string {
  const lines = models.flatMap((model) =>
    model.indexes.map((index) => [
      index.index,
      planOf(index),
      index.phase ?? '',
      index.ahead.join(' → '),
    ]),
  )
  const triggers = models
    .filter((model) => model.triggers.length > 0)
    .map((model) => `Each row of ${model.model} will fire: ${model.triggers.join(', ')}.`)
  return [
    table(['index', 'state', 'phase', 'to'], lines),
    table(
      ['model', 'rows', 'batches'],
      models.map((model) => [model.model, model.rows, model.batches]),
    ),
    ...triggers,
    `${count(rows)} rows would be gone over. Nothing was written.`,
  ].join('\n')
}

function planOf({ isRegistered, isComplete, isUnique }: IndexPlan): string {
  const state = !isRegistered ? 'not registered' : isComplete ? 'complete' : 'not complete'
  return isUnique ? `unique, ${state}` : state
}

export function renderReindex(report: ReindexReport): string {
  if (report.models.length === 0 && report.outcome === 'done')
    return 'The plan has no blind indexes.'
  const indexes = report.models.flatMap((model) => model.indexes)
  return [
    modelTable('rewritten', report.models),
    table(
      ['index', 'look-ups', 'phase', 'index key'],
      indexes.map((index) => [
        index.index,
        index.isComplete ? 'allowed' : 'refused',
        index.phase ?? '',
        index.isDone ? 'active' : 'not all active',
      ]),
    ),
    `${count(report.rows)} rows in ${report.seconds.toFixed(1)} s.`,
    ...report.retired.map(
      ({ keyring, keyId }) => `Keyring "${keyring}": index key ${keyId} is deactivated.`,
    ),
    ...afterReindex(report, indexes),
  ].join('\n')
}

function afterReindex(
  { outcome, quarantined, models }: ReindexReport,
  indexes: readonly IndexReport[],
): string[] {
  if (outcome === 'stopped') return ['Stopped. What was committed stays.']
  const lines: string[] = []
  if (quarantined > 0)
    lines.push(
      `${count(quarantined)} rows hold values that do not open, or are duplicates: npx rowseal runs quarantine list`,
      ...models.flatMap(({ samples }) => renderSamples(samples)),
    )
  if (indexes.some(({ phase, isDone }) => phase === 'offline' && !isDone))
    lines.push('Writes to a field are refused until its index is out of the phase "offline".')
  if (outcome === 'incomplete') lines.push('To go on: npx rowseal reindex')
  return lines
}

/** Where bad values are. */
export function renderSamples(samples: readonly Quarantined[]): string[] {
  return samples.map(
    ({ model, field, key, code }) => `  ${model}.${field} of the record ${key.join(', ')}: ${code}`,
  )
}
