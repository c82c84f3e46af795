import { openSync, writeSync } from 'node:fs'
import type { Outcome } from './checker/operation.ts'

/** What a process says of itself, a line of JSON each. */
export type Line =
  /** An operation was sent: on one record or several, with what it writes. */
  | {
      readonly at: 'start'
      readonly n: number
      readonly us: number
      readonly kind: string
      readonly writes?: Readonly<Record<string, string>>
    }
  /** It was answered. */
  | {
      readonly at: 'end'
      readonly n: number
      readonly us: number
      readonly outcome: Outcome
      readonly code?: string
      readonly isRetryable?: boolean
      /** What each record held; null for one that was not there. */
      readonly reads?: Readonly<Record<string, string | null>>
      readonly detail?: unknown
    }

/** The monotonic clock of the machine, which all its processes share and nobody sets. Microseconds. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1000n)

/** Writes each line at once: what was said is in the file, whatever becomes of the process. */
export class Recorder {
  readonly #file: number
  #n = 0

  constructor(path: string) {
    this.#file = openSync(path, 'a')
  }

  /** @returns its number. */
  start(kind: string, writes?: Readonly<Record<string, string>>): number {
    const n = ++this.#n
    this.#write({ at: 'start', n, us: nowUs(), kind, ...(writes && { writes }) })
    return n
  }

  end(n: number, ended: Omit<Extract<Line, { at: 'end' }>, 'at' | 'n' | 'us'>): void {
    this.#write({ at: 'end', n, us: nowUs(), ...ended })
  }

  #write(line: Line): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
  }
}
