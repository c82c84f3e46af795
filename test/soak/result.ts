import { MAX_GROWTH_PER_HOUR, verdictOf, type Sample, type Verdict } from './verdict.ts'

/** What the process under test said last. */
export interface End {
  readonly ms: number
  readonly minutes: number
  readonly rotations: number
  readonly drains: number
  readonly drained: number
  readonly done: Readonly<Record<string, number>>
  readonly failed: Readonly<Record<string, number>>
  readonly skipped: number
  readonly cores: number
  readonly ended: any
}

export interface Ended {
  readonly samples: readonly Sample[]
  /** Null if it ended before its end. */
  readonly end: End | null
  /** `exit 0` if all was well. */
  readonly how: string
  /** From its last word to its end. */
  readonly exitMs: number
}

export interface Result extends Ended {
  readonly facts: Readonly<Record<string, string | number>>
  readonly warmUpMinutes: number
  readonly verdict: Verdict | null
  /** What was not as it must be at the end. */
  readonly problems: readonly string[]
  readonly holds: boolean
}

/** A sixth of the time, and three minutes at least. */
const warmUpOf = (minutes: number): number => Math.max(3, minutes / 6)

export function resultOf(ended: Ended, facts: Result['facts']): Result {
  const warmUpMinutes = warmUpOf(Number(facts['minutes']))
  const problems = problemsOf(ended)
  let verdict: Verdict | null = null
  try {
    verdict = verdictOf(ended.samples, warmUpMinutes)
  } catch (error) {
    problems.push((error as Error).message)
  }
  const holds = problems.length === 0 && verdict?.holds === true
  return { ...ended, facts, warmUpMinutes, verdict, problems, holds }
}

/** Codes of requests that others came before: of two that replace one record, and the like. */
const RACES = /: (P2002|P2025|P2028|P2034)$/

/** A clean end: nothing is under way or waiting, nothing stale is left, every value opens, and nothing keeps it alive. */
export function problemsOf({ end, how }: Pick<Ended, 'end' | 'how'>): string[] {
  if (end === null) return [`It ended too early: ${how}.`]
  const { isFlushed, queued, left, stale, verified, bad, badIndexes, reencryption } = end.ended
  const wrong = Object.keys(end.failed).filter((failed) => !RACES.test(failed))
  return [
    ...(how === 'exit 0' ? [] : [`It did not end by itself: ${how}.`]),
    ...(queued > 0 ? [] : ['No stale value was queued at the end: nothing is shown by its flush.']),
    ...(isFlushed && left === 0 ? [] : [`${left} records were left in the queue.`]),
    ...(stale === 0 ? [] : [`${stale} values were stale after the flush.`]),
    ...(reencryption.failed === 0 ? [] : [`Re-encryption failed: ${reencryption.lastError}.`]),
    ...(verified === 'done' && bad === 0 && badIndexes === 0
      ? []
      : [`verify: ${verified}, ${bad} values and ${badIndexes} index values are bad.`]),
    ...wrong.map((failed) => `${end.failed[failed]} requests failed. ${failed}.`),
  ]
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`
const row = (name: string, value: unknown): string => `${name.padEnd(34)}${String(value)}`
const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, n]) => `${name}: ${n}`)
    .join(', ') || 'none'

/** For a person. */
export function render({ facts, verdict, problems, end, exitMs, holds, ...more }: Result): string {
  const lines = Object.entries(facts).map(([name, value]) => row(name, value))
  if (end !== null) {
    const total = Object.values(end.done).reduce((a, b) => a + b, 0)
    lines.push(
      row('minutes of load', end.minutes.toFixed(1)),
      row('operations', `${total} (${listed(end.done)})`),
      row('operations that failed', listed(end.failed)),
      row('left out: too many under way', end.skipped),
      row('rotations', end.rotations),
      row('drains, rows', `${end.drains}, ${end.drained}`),
      row('re-encrypted on read', end.ended.reencryption.done),
      row('DEKs made, unwrapped', `${end.ended.wraps}, ${end.ended.unwraps}`),
      row('share of a core', end.cores.toFixed(2)),
    )
  }
  if (verdict !== null) lines.push('', ...growthLines(verdict, more.warmUpMinutes))
  if (end !== null) lines.push('', ...endLines(end, exitMs))
  return [...lines, '', holds ? 'It holds.' : 'It does not hold.', ...problems].join('\n')
}

function growthLines({ samples, growths, handles }: Verdict, warmUp: number): string[] {
  return [
    `${samples} samples after ${warmUp.toFixed(0)} minutes of warm-up`,
    ...growths.map(({ what, slope, error, first, last, atMostPerHour, isBounded }) => {
      const kb = (bytes: number): string => (bytes / 1000).toFixed(2)
      const most = `${mb(atMostPerHour)} an hour at most (bound ${mb(MAX_GROWTH_PER_HOUR[what])})`
      const said = `${mb(first)} → ${mb(last)}; slope ${kb(slope)} ± ${kb(error)} kB a minute: ${most}`
      return row(what, `${said}${isBounded ? '' : ', TOO MUCH'}`)
    }),
    ...handles.map(({ what, before, after, isBounded }) =>
      row(what, `${before} → ${after}${isBounded ? '' : ', TOO MANY'}`),
    ),
  ]
}

function endLines({ ended }: End, exitMs: number): string[] {
  const { queued, left, stale, patients, bad, badIndexes } = ended
  return [
    row('stale records queued at the end', `${queued}, of ${patients} patients and their visits`),
    row('left after the flush, stale', `${left}, ${stale}`),
    row('values, index values that are bad', `${bad}, ${badIndexes}`),
    row('it ended by itself', `${exitMs} ms after all was closed`),
  ]
}
