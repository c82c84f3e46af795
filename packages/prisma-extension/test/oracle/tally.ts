import type { Refusable } from './declared.ts'
import type { Outcome } from './outcome.ts'

interface Counts {
  result: number
  error: number
  refused: number
}

/** How many operations were run, and how they ended. */
export class Tally {
  readonly #byOperation = new Map<string, Counts>()
  readonly #byError = new Map<string, number>()
  readonly #byClause = new Map<Refusable, number>()
  readonly #byDifference = new Map<string, number>()

  add(operation: string, outcome: Outcome): void {
    let counts = this.#byOperation.get(operation)
    if (counts === undefined) {
      this.#byOperation.set(operation, (counts = { result: 0, error: 0, refused: 0 }))
    }
    counts[outcome.kind] += 1
    if (outcome.kind === 'error')
      increment(this.#byError, outcome.report.split(' of ')[0]!.slice(0, 60))
    if (outcome.kind === 'refused')
      outcome.clauses.forEach((clause) => increment(this.#byClause, clause))
  }

  addDifference(name: string): void {
    increment(this.#byDifference, name)
  }

  get total(): Counts & { all: number } {
    const sum = { result: 0, error: 0, refused: 0, all: 0 }
    for (const { result, error, refused } of this.#byOperation.values()) {
      sum.result += result
      sum.error += error
      sum.refused += refused
      sum.all += result + error + refused
    }
    return sum
  }

  /** Names of operations that never succeeded. */
  unseen(operations: readonly string[]): string[] {
    return operations.filter((name) => !((this.#byOperation.get(name)?.result ?? 0) > 0))
  }

  clauses(): Refusable[] {
    return [...this.#byClause.keys()]
  }

  toString(): string {
    const { all, ...total } = this.total
    const line = (name: string, counts: Counts): string => {
      const sum = counts.result + counts.error + counts.refused
      const share = (n: number): string => `${((100 * n) / sum).toFixed(1)} %`.padStart(8)
      return `  ${name.padEnd(22)}${String(sum).padStart(7)}${share(counts.result)}${share(counts.error)}${share(counts.refused)}`
    }
    const list = (counts: ReadonlyMap<string, number>): string =>
      [...counts]
        .sort((a, b) => b[1] - a[1])
        .map(([name, n]) => `${name} ${n}`)
        .join(', ')
    return [
      `  ${'operation'.padEnd(22)}  calls  result   error refused`,
      ...[...this.#byOperation].sort().map(([name, counts]) => line(name, counts)),
      line('all', { ...total }),
      `  errors: ${list(this.#byError)}`,
      `  refused: ${list(this.#byClause)}`,
      ...(this.#byDifference.size === 0
        ? []
        : [`  declared differences: ${list(this.#byDifference)}`]),
      ...(all === 0 ? ['  nothing was run'] : []),
    ].join('\n')
  }
}

function increment<K>(map: Map<K, number>, key: K): void {
  map.set(key, (map.get(key) ?? 0) + 1)
}
