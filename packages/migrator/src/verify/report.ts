import { worstOf } from '../engine/events.ts'
import type { UnplannedField } from '../keys/unplanned.ts'
import type { Verified } from './model-run.ts'
import type { VerifyReport } from './options.ts'
import { destroyedIn, fieldsOf, indexesOf, rowsOf } from './tally.ts'

const MAX_SAMPLES = 20

/** @param isStopped - before all models were gone over. */
export function verifyReport(
  models: readonly Verified[],
  isStopped: boolean,
  began: Date,
  unplanned: readonly UnplannedField[],
): VerifyReport {
  const fields = models.flatMap(({ target, tally }) => fieldsOf(target, tally))
  const indexes = models.flatMap(({ target, tally }) => indexesOf(target, tally))
  const bad = sum(fields.flatMap((field) => field.bad))
  const badIndexes = sum(indexes.flatMap((index) => index.bad))
  const resumed = models.filter(({ isResumed }) => isResumed)
  const since = Math.min(began.getTime(), ...resumed.map((model) => model.since.getTime()))
  return {
    outcome: worstOf(models, isStopped),
    rows: models.reduce((total, { tally }) => total + rowsOf(tally), 0),
    opened: sum(fields.flatMap((field) => field.opened)),
    bad,
    badIndexes,
    since: new Date(since).toISOString(),
    isResumed: models.some((model) => model.isResumed),
    unreadable: models.flatMap(({ target, tally }) => destroyedIn(target, tally)),
    unplanned,
    seconds: Math.round(Date.now() - began.getTime()) / 1000,
    fields,
    indexes,
    samples: models.flatMap(({ samples }) => samples).slice(0, MAX_SAMPLES),
  }
}

function sum(parts: readonly { readonly count: number }[]): number {
  return parts.reduce((total, { count }) => total + count, 0)
}
