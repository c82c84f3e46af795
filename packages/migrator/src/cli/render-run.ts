import type { DrainReport } from '../drain/drained.ts'
import type { PassCounts } from '../engine/counts.ts'
import type { ModelReport, RunReport } from '../engine/events.ts'
import { commandOf } from '../runs/command-of.ts'
import { count, table } from './output.ts'
import { leftIn, renderReconciliation } from './render-reconciliation.ts'
import { renderUnplanned } from './render-unplanned.ts'
import { renderUnreadable } from './render-unreadable.ts'

const VERBS: Readonly<Record<string, string>> = {
  encrypt: 'sealed',
  decrypt: 'opened',
  rewrap: 're-wrapped',
}
/** Of a share of a table, others of which are not done. */
const IN_PART = 'This share is done, others are not.'
const DONE: Readonly<Record<string, string>> = {
  encrypt: 'Every value is sealed.',
  decrypt: 'No value of these fields is sealed.',
}
/** The same where some models were named. */
const DONE_OF_MODELS: Readonly<Record<string, string>> = {
  ...DONE,
  encrypt: 'Every value of these models is sealed.',
}

const NONE_SEALED = 'The plan has no sealed fields.'
const NOTHING_THERE: Readonly<Record<string, string>> = {
  encrypt: 'The plan has no fields that are to be sealed.',
}

type ModelDone = Pick<ModelReport, 'model' | 'passes' | 'outcome' | keyof PassCounts>

/** @param done - what was done to its rows. */
export function modelTable(done: string, models: readonly ModelDone[]): string {
  const rows = models.map((model) => [
    model.model,
    model.rows,
    model.superseded,
    model.quarantined,
    model.passes,
    model.outcome,
  ])
  return table(['model', done, 'superseded', 'quarantined', 'passes', 'outcome'], rows)
}

/** What a run over tables did. */
export function renderRun(report: RunReport): string {
  const { direction, models, rows, seconds, outcome } = report
  if (models.length === 0 && outcome === 'done') return NOTHING_THERE[direction] ?? NONE_SEALED
  const rate = seconds === 0 ? 0 : rows / seconds
  return [
    modelTable(VERBS[direction] ?? 'rewritten', models),
    ...(models.some(({ reconciliation }) => reconciliation.length > 0)
      ? ['', renderReconciliation(report), '']
      : []),
    `${count(rows)} rows in ${seconds.toFixed(1)} s, ${count(rate)} rows/s.`,
    ...(outcome === 'done' ? [] : left(report)),
  ].join('\n')
}

/** @param isOfAll - of all models, and not of some that were named? */
export function renderEncrypted(report: RunReport, isOfAll: boolean): string {
  const { outcome, direction } = report
  if (outcome !== 'done' || report.models.length === 0) return renderRun(report)
  const values = leftIn(report)
  if (isInPart(report)) return [renderRun(report), IN_PART].join('\n')
  const end =
    values === 0
      ? ((isOfAll ? DONE : DONE_OF_MODELS)[direction] ?? 'Done.')
      : `${count(values)} values were written meanwhile that are to be met again. Next: npx rowseal ${direction}`
  return [renderRun(report), end].join('\n')
}

/** @param isOfAll - as for `renderEncrypted`. */
export function renderDrain(report: DrainReport, isOfAll: boolean): string {
  if (report.outcome !== 'done' || report.models.length === 0) return renderRun(report)
  const next = report.drained.map(({ keyring, keyId, state }) =>
    state === 'compromised'
      ? `Keyring "${keyring}": nothing is under key ${keyId}, which leaked. Next: npx rowseal keys destroy ${keyId}`
      : `Keyring "${keyring}": nothing is under key ${keyId} any more. Next: npx rowseal keys retire ${keyId} --fence`,
  )
  const end = isOfAll ? 'Nothing is stale.' : 'Nothing of these models is stale.'
  return [
    renderRun(report),
    isInPart(report) ? IN_PART : end,
    ...renderUnplanned(report.unplanned),
    ...next,
  ].join('\n')
}

/** What a table holds is counted when all of its shares are done. */
function isInPart({ models }: RunReport): boolean {
  return models.some(({ after }) => after === null)
}

function left(report: RunReport): string[] {
  const { direction, outcome, quarantined, models, isHandedOut = false } = report
  const command = `npx rowseal ${commandOf(direction)}${isHandedOut ? ' --queue' : ''}`
  const goOn = `To go on: ${command}`
  if (outcome === 'stopped' && isHandedOut) return ['Workers go on with what they were handed.']
  if (outcome === 'stopped') return ['Stopped. What was committed stays.']
  if (outcome === 'cancelled') return ['Cancelled by an operator. What was committed stays.']
  const lines: string[] = []
  if (quarantined > 0)
    lines.push(
      `${quarantined === 1 ? '1 row was left as it is' : `${count(quarantined)} rows were left as they are`}. Why, and what to do: npx rowseal runs quarantine list`,
    )
  lines.push(...renderUnreadable(report.unreadable))
  if (models.some((model) => model.outcome === 'incomplete' && model.quarantined === 0))
    lines.push(`Some rows were written or locked by others each time. ${goOn}`)
  return lines
}
