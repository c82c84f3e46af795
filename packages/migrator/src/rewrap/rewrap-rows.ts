import { KeyError, type Keyring } from '@rowseal/prisma-extension'
import { rewrapBytes, rewrapText, type Envelope } from '@rowseal/prisma-extension/envelope'
import type { RewrappedDek, WrappedDek } from '@rowseal/prisma-extension/keys'
import type { ColumnScalar, PageRow } from '@rowseal/prisma-extension/sql'
import type { Context } from '../config.ts'
import { holderOf, swapRows, type SealedChange, type StaleKeys } from '../drain/reencrypt.ts'
import type { Batch } from '../engine/strategy.ts'
import { collect, named, type BadSite, type Site } from '../engine/values.ts'
import { groupBy } from '../group-by.ts'
import type { Target, TargetField } from '../targets.ts'
import { assertMovable, rewrappableKeysOf } from './keys.ts'

/** Brings DEKs of a keyring under its active key version. */
export type Rewrap = (keyring: Keyring, deks: readonly WrappedDek[]) => Promise<RewrappedDek[]>

/** Somebody changes a keyring while its DEKs are moved: as often as this the page is begun anew. */
const MAX_TRIES = 5

/**
 * Have the DEK of every stale value of a page wrapped anew by the root key. Nothing is opened: a value whose
 * DEK does not open is bad and stays, and the ciphertext is not looked at.
 *
 * @throws {MigrationError} `ERR_REWRAP_REFUSED` if a key has leaked meanwhile.
 */
export async function rewrapRows(
  context: Context,
  target: Target,
  rows: readonly PageRow[],
  stale: StaleKeys,
  rewrap: Rewrap,
): Promise<Batch<SealedChange>> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(target, rows, stale, rewrap)
    } catch (error) {
      const isChanged = error instanceof KeyError && error.code === 'ERR_KEY_STATE'
      if (!isChanged || tries === MAX_TRIES) throw error
      // Says what has become of them; or reads that one of them is active again.
      await rewrappableKeysOf(context, target)
    }
  }
}

async function attempt(
  { fields }: Target,
  rows: readonly PageRow[],
  stale: StaleKeys,
  rewrap: Rewrap,
): Promise<Batch<SealedChange>> {
  const isStale = ({ keyId }: Envelope, { values, label }: TargetField): boolean => {
    if (stale.get(values)?.has(keyId) !== true || !values.isStale(keyId)) return false
    assertMovable(values, keyId, label)
    return true
  }
  const { sites, bad } = collect(fields, rows, isStale)
  const values: { site: Site; value: ColumnScalar }[] = []
  const refused: BadSite[] = []
  for (const [keyring, mine] of groupBy(sites, (site) =>
    holderOf(fields[site.field]!, site.envelope.keyId),
  )) {
    const deks = await rewrap(
      keyring,
      mine.map(({ envelope }) => envelope),
    )
    for (const [i, site] of mine.entries()) {
      const value = valueWith(fields[site.field]!, site, deks[i]!)
      if (typeof value === 'object' && 'code' in value) refused.push(value)
      else values.push({ site, value })
    }
  }
  return { changes: swapRows(fields, rows, values), bad: named(fields, [...bad, ...refused]) }
}

function valueWith(
  { spec }: TargetField,
  { row, field, envelope }: Site,
  dek: RewrappedDek,
): ColumnScalar | BadSite {
  if (dek instanceof Error) return { row, field, code: dek.code }
  return (spec.type === 'Bytes' ? rewrapBytes : rewrapText)(envelope, dek)
}
