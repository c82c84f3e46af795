import type { PageRow } from '@rowseal/prisma-extension/sql'
import { DECRYPT } from '../../../packages/migrator/src/decrypt/decrypt.ts'
import type { SealedChange } from '../../../packages/migrator/src/drain/reencrypt.ts'
import { ENCRYPT } from '../../../packages/migrator/src/encrypt/encrypt.ts'
import type { EncryptChange } from '../../../packages/migrator/src/encrypt/seal-rows.ts'
import type { Direction } from '../../../packages/migrator/src/engine/direction.ts'
import type { Change } from '../../../packages/migrator/src/engine/strategy.ts'
import type { IndexChange } from '../../../packages/migrator/src/reindex/duplicates.ts'
import { statesOf } from '../../../packages/migrator/src/reindex/states.ts'
import { reindexStrategy } from '../../../packages/migrator/src/reindex/strategy.ts'
import { loadTargets } from '../../../packages/migrator/src/targets.ts'

/**
 * The ceiling of a direction: the same reads, statements and proofs, but nothing is opened, sealed or hashed, since
 * what is written was made before.
 *
 * @param change - of a row that was read, which is the `row`th of its page.
 */
export function ceilingOf(
  direction: Direction,
  change: (read: PageRow, row: number) => Change,
): Direction {
  return {
    ...direction,
    next: async (context, target) => ({
      ...(await direction.next(context, target)),
      prepare: (rows) => Promise.resolve({ changes: rows.map(change), bad: [] }),
    }),
  }
}

/** What the columns of a row with an index hold, in their order. */
export type Held = readonly [title: string, titleIndex: string | null, text: string]

/** @param made - values made before of the row that was read. */
export type MadeBefore = (read: PageRow) => Held

export function encryptCeiling(made: MadeBefore): Direction {
  return ceilingOf(ENCRYPT, (read, row): EncryptChange => {
    const [[title, index, text], next] = [read.values as Held, made(read)]
    const swaps = [
      { old: [title, index], next: next.slice(0, 2), bound: [] },
      { old: [text], next: next.slice(2), bound: [] },
    ]
    return { row, key: read.key, swaps }
  })
}

/** `reindex` goes from phase to phase. This is the pass that writes, and the one after, which finds nothing. */
export function reindexCeiling(made: MadeBefore): Direction {
  const direction: Direction = {
    name: 'reindex',
    targets: (context, models) => loadTargets(context, models, 'indexes'),
    next: async (_, target) => {
      const states = await statesOf(target.indexes)
      const work = states.map(({ index, wanted }) => ({ index, wanted, isChecked: false }))
      return reindexStrategy(target, work, 'ceiling')
    },
  }
  return ceilingOf(direction, (read, row): IndexChange => {
    const [sealed, old] = read.values as readonly [string, string | null]
    return { row, key: read.key, swaps: [{ sealed, old: [old], next: [made(read)[1]] }] }
  })
}

export function decryptCeiling(made: MadeBefore): Direction {
  return ceilingOf(DECRYPT, (read, row): SealedChange => {
    const [title, , text] = made(read)
    return { row, key: read.key, old: read.values, next: [title, text] }
  })
}
