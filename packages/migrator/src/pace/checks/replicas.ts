/** What PostgreSQL says of a replica. Positions in the write-ahead log are bytes. */
export interface Replica {
  readonly name: string
  readonly replayed: bigint
  /** As measured when it replied last; null if there was nothing to measure. */
  readonly lagMs: number | null
}

export interface Lag {
  readonly name: string
  /** Infinity for a replica that has gone. */
  readonly lagMs: number
}

const MAX_MARKS = 1_000

/**
 * How far replicas are behind. `replay_lag` alone does not tell: it stands still while a replica sends
 * nothing, and stays after one has caught up. So marks are kept of how far the log had come when; a replica
 * before a mark is behind by its age at least.
 */
export class Replicas {
  readonly #names = new Set<string>()
  /** Of different positions, in their order. */
  readonly #marks: { readonly written: bigint; readonly at: number }[] = []

  /**
   * @param written - how far the log has come.
   * @returns the one furthest behind, those that were there before included; null if there was never one.
   */
  seen(replicas: readonly Replica[], written: bigint, now: number): Lag | null {
    const last = this.#marks.at(-1)
    // Full only if a replica has stood still for long: then the first marks are what tells.
    if (last?.written !== written && this.#marks.length < MAX_MARKS)
      this.#marks.push({ written, at: now })
    const lags = replicas.map((replica) => this.#lagOf(replica, written, now))
    const names = new Set(replicas.map(({ name }) => name))
    const gone = [...this.#names].filter((name) => !names.has(name))
    for (const name of names) this.#names.add(name)
    this.#forgetUpTo(replicas)
    const all = [...lags, ...gone.map((name) => ({ name, lagMs: Infinity }))]
    return all.sort((a, b) => b.lagMs - a.lagMs)[0] ?? null
  }

  #lagOf({ name, replayed, lagMs }: Replica, written: bigint, now: number): Lag {
    if (replayed >= written) return { name, lagMs: 0 }
    const mark = this.#marks.find((one) => one.written > replayed)
    return { name, lagMs: Math.max(lagMs ?? 0, mark === undefined ? 0 : now - mark.at) }
  }

  #forgetUpTo(replicas: readonly Replica[]): void {
    const least = replicas.reduce<bigint | null>(
      (min, { replayed }) => (min === null || replayed < min ? replayed : min),
      null,
    )
    while (least !== null && this.#marks.length > 1 && this.#marks[0]!.written <= least)
      this.#marks.shift()
  }
}
