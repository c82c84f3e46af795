import type { DrainReport } from '../drain/drained.ts'
import type { PassCounts } from '../engine/counts.ts'
import type { ModelReport, RunReport } from '../engine/events.ts'
import { commandOf } from '../runs/command-of.ts'
import { count, table } from './output.ts'
import { leftIn, renderReconciliation } from './render-reconciliation.ts'
import { renderUnknown } from './render-unknown.ts'
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
  encrypt: 'Every value of these fields is sealed.',
  decrypt: 'No value of these fields is sealed.',
}
/** Who undoes what such a run does. */
const UNDONE_BY: Readonly<Record<string, string>> = {
  encrypt:
    'If that does not end, something still writes plaintext: an instance of a release with `seal: off` or without the annotation, or a client without Rowseal.',
  decrypt:
    'If that does not end, an instance still seals: one of a release without `seal: off` in the annotation.',
}

const NONE_SEALED = 'The plan has no sealed fields.'
const NOTHING_THERE: Readonly<Record<string, string>> = {
  encrypt:
    'Nothing is sealed: the plan has no fields that are to be. Where they say `seal: off`, change that to `plaintext: allow`, run `npx prisma generate` and deploy first.',
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
    ...renderUnknown(report.unknown),
  ].join('\n')
}

/** The same of a run that encrypts or decrypts. Which fields these are its tables say. */
export function renderEncrypted(report: RunReport): string {
  const { outcome, direction } = report
  if (outcome !== 'done' || report.models.length === 0) return renderRun(report)
  const values = leftIn(report)
  if (isInPart(report)) return [renderRun(report), IN_PART].join('\n')
  const end =
    values === 0
      ? (DONE[direction] ?? 'Done.')
      : `${count(values)} values were written meanwhile that are to be met again. Next: npx rowseal ${direction}`
  return [renderRun(report), end].join('\n')
}

/** @param isOfAll - of all models, and not of some that were named? */
export function renderDrain(report: DrainReport, isOfAll: boolean): string {
  if (report.outcome !== 'done' || report.models.length === 0) return renderRun(report)
  const next = report.drained.map(nextOf)
  const end = isOfAll ? 'Nothing is stale.' : 'Nothing of these models is stale.'
  return [
    renderRun(report),
    isInPart(report) ? IN_PART : end,
    ...renderUnplanned(report.unplanned),
    ...next,
  ].join('\n')
}

function nextOf({ keyring, keyId, state, takes }: DrainReport['drained'][number]): string {
  const isLeaked = state === 'compromised'
  const is = `Keyring "${keyring}": nothing is under key ${keyId}${isLeaked ? ', which leaked' : ' any more'}.`
  if (takes !== undefined) return `${is} To ${isLeaked ? 'destroy' : 'retire'} it takes ${takes}.`
  return `${is} Next: npx rowseal keys ${isLeaked ? `destroy ${keyId}` : `retire ${keyId} --fence`}`
}

/** What a table holds is counted when all of its shares are done. */
function isInPart({ models }: RunReport): boolean {
  return models.some(({ after }) => after === null)
}

/** Is what has kept a model from its end told by itself? */
function isExplained({ quarantined, after }: ModelReport): boolean {
  const versions = after?.fields.flatMap((field) => field.versions) ?? []
  const unknown = versions.reduce(
    (sum, { version, count: n }) => sum + (version === null ? n : 0),
    0,
  )
  return quarantined > 0 || (unknown > 0 && unknown === after?.left)
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
  if (models.some((model) => model.outcome === 'incomplete' && !isExplained(model)))
    lines.push(
      `Some rows were written or locked by others each time. ${goOn}`,
      ...(UNDONE_BY[direction] === undefined ? [] : [UNDONE_BY[direction]]),
    )
  return lines
}
