/**
 * Who is measured. `empty` is plain Prisma under a query hook that does nothing, `floor` under one that makes the
 * same cipher calls and nothing else; `crypto` makes them without Prisma or a database.
 */
export type Subject = 'plain' | 'empty' | 'rowseal' | 'peer' | 'floor' | 'crypto'

/** One line of the report. Null where there is no such figure. */
export interface Measurement {
  readonly name: string
  readonly database: string | null
  readonly unit: string
  readonly plain: number | null
  readonly rowseal: number | null
  readonly peer: number | null
  /** A query hook that does nothing. */
  readonly empty: number | null
  /** A query hook that makes the same cipher calls on sealed values and nothing else. */
  readonly floor: number | null
  /** The same cipher calls by `node:crypto`, without Prisma or a database. */
  readonly crypto: number | null
  /** Medians of the ratios of each round. */
  readonly ratioToPlain: number | null
  readonly ratioToPeer: number | null
  /** (third quartile - first quartile) / median, of Rowseal. */
  readonly spread: number | null
  readonly rounds: number
  /** What is aimed at, and whether this run reached it. */
  readonly target: string | null
  readonly isMet: boolean | null
}

/** One call of a subject. What `prepare` does is not timed. */
export interface Call {
  readonly prepare?: (i: number) => unknown
  readonly run: (i: number) => unknown
}

export interface Plan {
  readonly rounds: number
  readonly warmUp: number
  /** Calls of each subject in a round. */
  readonly calls: number
  /** Is there little time left? Then fewer rounds have to do. */
  readonly isLate?: () => boolean
}

/** However little time there is. */
const FEWEST_ROUNDS = 3

export type Times = Partial<Record<Subject, number[]>>

/**
 * Time subjects in turn (A B C, B C A, …), so that a drift of the machine's speed hits all of them alike.
 *
 * @returns for each subject its mean call of each round, in milliseconds and in the order of the rounds.
 */
export async function interleave(
  subjects: Partial<Record<Subject, Call>>,
  { rounds, warmUp, calls, isLate }: Plan,
): Promise<Times> {
  const names = Object.keys(subjects) as Subject[]
  const times: Times = Object.fromEntries(names.map((name) => [name, []]))
  const called = Object.fromEntries(names.map((name) => [name, 0]))
  for (let round = -warmUp; round < rounds; round++) {
    if (round >= FEWEST_ROUNDS && isLate?.() === true) break
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round + warmUp) % names.length]!
      collectYoung()
      let ms = 0
      for (let i = 0; i < calls; i++) ms += await timed(subjects[name]!, called[name]!++)
      if (round >= 0) times[name]!.push(ms / calls)
    }
  }
  return times
}

async function timed({ prepare, run }: Call, i: number): Promise<number> {
  await prepare?.(i)
  const start = performance.now()
  await run(i)
  return performance.now() - start
}

/** What one subject leaves behind is not for the next to clear away. */
export function collectYoung(): void {
  ;(globalThis.gc as ((options?: object) => void) | undefined)?.({ type: 'minor' })
}

interface Described {
  readonly name: string
  readonly database?: string
  readonly unit?: string
  readonly target?: string
  readonly isMet?: (line: Measurement) => boolean
}

/** A line of the report from the times of its rounds, or from other figures of which there was one a round. */
export function measurement(described: Described, times: Times): Measurement {
  const { name, database = null, unit = 'ms', target = null, isMet } = described
  const of = (subject: Subject): number | null => medianOf(times[subject])
  const line = {
    name,
    database,
    unit,
    plain: of('plain'),
    rowseal: of('rowseal'),
    peer: of('peer'),
    empty: of('empty'),
    floor: of('floor'),
    crypto: of('crypto'),
    ratioToPlain: ratio(times.rowseal, times.plain),
    ratioToPeer: ratio(times.rowseal, times.peer),
    spread: spreadOf(times.rowseal),
    rounds: Math.max(...Object.values(times).map((list) => list.length)),
    target,
    isMet: null,
  }
  return isMet === undefined ? line : { ...line, isMet: isMet(line) }
}

/** The median of what each round says, so that a slow moment of the machine counts in both parts or in none. */
function ratio(own: readonly number[] | undefined, other: readonly number[] | undefined) {
  if (own === undefined || other === undefined) return null
  return medianOf(own.flatMap((ms, round) => (other[round] ? [ms / other[round]] : [])))
}

function spreadOf(times: readonly number[] | undefined): number | null {
  if (times === undefined || times.length < 4) return null
  const sorted = times.toSorted((a, b) => a - b)
  return rounded((quantile(sorted, 0.75) - quantile(sorted, 0.25)) / quantile(sorted, 0.5))
}

function medianOf(values: readonly number[] | undefined): number | null {
  if (values === undefined || values.length === 0) return null
  return rounded(
    quantile(
      values.toSorted((a, b) => a - b),
      0.5,
    ),
  )
}

/** Four significant digits. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN
}
