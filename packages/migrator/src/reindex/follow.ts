import { INDEX_PERMITTED, phaseOf, type KeyRow } from '@rowseal/prisma-extension/keys'
import { presentCondition } from '@rowseal/prisma-extension/sql'
import { countRows } from '../targets.ts'
import { pause } from '../waits.ts'
import type { ModelJob } from './model-run.ts'
import type { IndexState } from './states.ts'

/** Knows how long it takes until every instance goes by what the key store says of indexes. */
export class Follow {
  readonly #job: ModelJob

  constructor(job: ModelJob) {
    this.#job = job
  }

  /** Wait for some indexes. @returns false if told to stop. */
  async all(states: readonly IndexState[]): Promise<boolean> {
    const { signal, onEvent } = this.#job.options
    for (;;) {
      const ms = await this.left(states)
      if (ms === 0) return true
      onEvent?.({ type: 'wait', ms, reason: 'until every instance follows' })
      if (!(await pause(ms, signal))) return false
    }
  }

  /** Milliseconds. */
  async left(states: readonly IndexState[]): Promise<number> {
    const { waits, options } = this.#job
    if (options.now === true) return 0
    let left = 0
    for (const state of states) {
      const change = changeOf(state)
      if (!waits.knows(change) && !(await this.#mayDiffer(state))) waits.began(change, 0)
      left = Math.max(left, waits.left(change, this.#waitMs(state), changedAt(state)))
    }
    return left
  }

  /** This process has just brought an index where it is. */
  began(state: IndexState): void {
    this.#job.waits.began(changeOf(state), this.#waitMs(state))
  }

  /** Somebody waited before. */
  noteFollowed(states: readonly IndexState[]): void {
    for (const state of states) this.#job.waits.began(changeOf(state), 0)
  }

  #waitMs({ index }: IndexState): number {
    return index.field.keyring.index.maxAgeMs + this.#job.checked.maxTransactionMs
  }

  /** May there be instances that go by another key or phase? */
  async #mayDiffer({ index, record, active, rows }: IndexState): Promise<boolean> {
    // Those that were deactivated were followed before.
    if (!record.isUnique)
      return rows.some(
        ({ keyId, state, activatedAt }) =>
          keyId !== active.keyId && INDEX_PERMITTED[state].match && activatedAt !== null,
      )
    const phase = phaseOf(record)
    if (phase !== 'slot-1' && phase !== 'slot-2') return true
    // At the end of a rotation the slot it came from is still full.
    const other = index.columns[phase === 'slot-1' ? 1 : 0]
    if (other === null) return false
    const { context, target } = this.#job
    return (await countRows(context, target, presentCondition([other.column]))) > 0
  }
}

/** Name of the change that brought an index where it is. */
function changeOf({ index, record, active }: IndexState): string {
  const { name } = index.field.keyring.index
  if (!record.isUnique) return keyChangeOf(name, active.keyId)
  return `${name} ${record.id} ${record.lookup} ${record.writes} ${record.keys.join()}`
}

/** Name of the change that made an index key active. @param ring - name of the keyring of index keys. */
export function keyChangeOf(ring: string, activeKeyId: number): string {
  return `${ring} ${activeKeyId}`
}

/** When the index key became active that an index follows; null for phases, of which the key store does not say. */
function changedAt({ record, rows }: IndexState): Date | null {
  return record.isUnique ? null : keyChangedAt(rows)
}

export function keyChangedAt(rows: readonly KeyRow[]): Date {
  const times = rows.flatMap(({ activatedAt, suspendedAt }) => [
    activatedAt?.getTime() ?? 0,
    suspendedAt?.getTime() ?? 0,
  ])
  return new Date(Math.max(...times))
}
