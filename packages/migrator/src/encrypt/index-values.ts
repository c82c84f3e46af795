import { KeyError, type Keyring } from '@rowseal/prisma-extension'
import { indexKeyIdOf, indexValue, normalize } from '@rowseal/prisma-extension/envelope'
import type { IndexView } from '@rowseal/prisma-extension/keys'
import type { IndexProof } from '../engine/strategy.ts'
import { wantedOf } from '../reindex/rotation.ts'
import { secondMissing } from '../reindex/states.ts'
import type { TargetIndex } from '../targets.ts'
import type { FieldWork } from './fields.ts'

/** What the columns of a field's blind indexes are to hold for a text. */
export type IndexValues = (work: FieldWork, text: string) => (string | null)[]

/**
 * What the extension writes into blind indexes at this moment: under the same keys, into the same slots.
 *
 * @throws {KeyError} `ERR_INDEX_STATE` if an index is not registered, or (retryable) is rotated offline.
 * @throws {MigrationError} `ERR_PLAN_DATABASE` if an index is in a second column that the plan lacks.
 */
export async function indexValues(fields: readonly FieldWork[]): Promise<IndexValues> {
  const indexed = fields.filter(({ columns }) => columns.length > 0)
  const views = new Map<Keyring, IndexView>()
  for (const { keyring } of indexed.map(({ field }) => field))
    if (!views.has(keyring)) views.set(keyring, await keyring.index.view())
  const keyIds = new Map(
    indexed.map((work) => [work, keyIdsOf(work, views.get(work.field.keyring)!)]),
  )
  return (work, text) =>
    work.columns.map(({ id, index }, i) => {
      const keyId = keyIds.get(work)![i] ?? null
      if (keyId === null) return null
      const key = views.get(work.field.keyring)!.key(id, keyId)
      return indexValue(key, normalize(index.normalize, text))
    })
}

/**
 * What tells whether the index columns of a field hold what belongs to a text: each value is computed anew,
 * under the key that it names, and no index is without one.
 */
export async function indexProof({ field, columns }: FieldWork): Promise<IndexProof> {
  const view = await field.keyring.index.view()
  return (text, values) => {
    const filled = new Set<TargetIndex>()
    for (const [i, { id, index }] of columns.entries()) {
      const value = values[i] ?? null
      if (value === null) continue
      const keyId = typeof value === 'string' ? indexKeyIdOf(value) : null
      if (keyId === null) return false
      if (value !== indexValue(view.key(id, keyId), normalize(index.normalize, text))) return false
      filled.add(index)
    }
    return columns.every(({ index }) => filled.has(index))
  }
}

/** The key id of each column; null where it stays empty. */
function keyIdsOf({ columns }: FieldWork, view: IndexView): (number | null)[] {
  return columns.map(({ index, slot }) => {
    const { id, label, isUnique, normalize: names } = index
    const record = view.record(id)
    const isSame = record?.isUnique === isUnique && record.normalize.join() === names.join()
    if (!isSame) throw refused(label, 'is not known to the key store as the plan has it', INIT)
    if (record.writes === 'none')
      throw refused(label, 'is rotated offline, and its field is not written meanwhile', END, true)
    const wanted = wantedOf(record, view.active)
    if (wanted[1] !== null && index.columns[1] === null) throw secondMissing(index)
    return wanted[slot]!
  })
}

const INIT = 'Run `npx rowseal init`, which registers it.'
const END = 'Try again when `npx rowseal reindex --offline` has ended.'

function refused(label: string, what: string, fix: string, retryable = false): KeyError {
  return new KeyError('ERR_INDEX_STATE', `The blind index ${label} ${what}.`, {
    field: label,
    fix,
    retryable,
  })
}
