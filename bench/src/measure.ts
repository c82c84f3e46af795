/** One figure of the report. */
export interface Figure {
  readonly name: string
  readonly unit: string
  readonly plain?: number
  readonly rowseal: number
  readonly ratio?: number
  /** (third quartile - first quartile) / median of the Rowseal figure. */
  readonly spread?: number
  /** What issue or design asks for, as text. */
  readonly target?: string
}

/**
 * Time two variants in turn, A B A B …, so that a drift of the machine's speed hits both, and give the
 * medians per call in milliseconds.
 */
export async function compare(
  rounds: number,
  callsPerRound: number,
  plain: (i: number) => Promise<unknown>,
  rowseal: (i: number) => Promise<unknown>,
): Promise<{ plain: number; rowseal: number; spread: number }> {
  const times: [number[], number[]] = [[], []]
  let call = 0
  for (let round = -2; round < rounds; round++) {
    for (const [which, run] of [plain, rowseal].entries()) {
      const start = process.hrtime.bigint()
      for (let i = 0; i < callsPerRound; i++) await run(call++)
      const ms = Number(process.hrtime.bigint() - start) / 1e6 / callsPerRound
      // Two rounds of warm-up.
      if (round >= 0) times[which]!.push(ms)
    }
  }
  const [a, b] = times.map((list) => list.sort((x, y) => x - y)) as [number[], number[]]
  return {
    plain: quantile(a, 0.5),
    rowseal: quantile(b, 0.5),
    spread: (quantile(b, 0.75) - quantile(b, 0.25)) / quantile(b, 0.5),
  }
}

export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN
}
