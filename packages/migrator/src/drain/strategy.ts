import { staleCondition, swapIn, type StalenessLookup } from '@rowseal/prisma-extension/sql'
import type { Strategy } from '../engine/strategy.ts'
import type { Target } from '../targets.ts'
import type { CipherThreads } from '../threads/threads.ts'
import { partsOf, reencrypt, sealedFields, type SealedChange, type StaleKeys } from './reencrypt.ts'

/** Move every value that is under a stale key to the active one. */
export function drainStrategy(
  target: Target,
  stale: StaleKeys,
  lookups: readonly StalenessLookup[] | null,
  threads?: CipherThreads,
): Strategy<SealedChange> {
  const { table } = target
  const fields = target.fields.map((field) => field.name)
  const ids = [...stale.values()].flatMap((keyIds) => [...keyIds]).sort((a, b) => a - b)
  return {
    target: `drain ${ids.join(' ')}`,
    columns: table.sealed,
    where: staleWhere(target, stale),
    lookups,
    prepare: (rows) => reencrypt(target, rows, stale, threads),
    write: (tx, changes) => swapIn(tx, table, fields, changes),
    parts: partsOf(fields),
    fields: sealedFields(target.fields, 'sealed'),
  }
}

/** A condition on the rows that hold at least one stale value. */
export function staleWhere({ table, fields }: Target, stale: StaleKeys): string {
  const conditions = fields.map(({ column, values }) =>
    staleCondition(table, column, [...(stale.get(values) ?? [])]),
  )
  return conditions.join(' OR ')
}
