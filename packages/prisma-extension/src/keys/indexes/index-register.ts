import { KeyError } from '../../errors.ts'
import { INDEX_MOVES, movedTo, phaseOf, type IndexPhase } from './index-phases.ts'
import { areNormalizers, isIndexId } from './index-records.ts'
import { keyringClosed } from '../keyring-errors.ts'
import { indexRingOf, readIndexes, writeIndexes } from './index-write.ts'
import type { Keyring } from '../keyring.ts'
import type { Snapshot } from '../reading/snapshot.ts'
import { mayMatch } from '../lifecycle/states.ts'
import type { IndexRecord } from '../types.ts'
import { readNow } from '../lifecycle/versions.ts'

/** What the plan says of a blind index that is to be registered. */
export interface NewIndex {
  readonly id: string
  readonly normalize: readonly string[]
  readonly isUnique: boolean
  /** Has every row its value, as in an empty table? */
  readonly complete: boolean
}

/**
 * Register a blind index, unless it is. A unique one is put under the active index key. One that is
 * registered is left alone, also if it is not complete; whether it is unique may change while there
 * is only one key that values can be under.
 *
 * @returns its record, and whether this call made it.
 * @throws {KeyError} `ERR_INDEX_STATE` if it is registered with other normalizers, or became unique
 *   or ceased to be during a rotation; `ERR_KEY_STATE` if the keyring is closed;
 *   `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEYRING_MISSING`, `ERR_KEY_UNAVAILABLE` (retryable),
 *   `ERR_KEY_MISMATCH`
 * @throws {TypeError} if the id or a normalizer cannot be one.
 */
export async function registerIndex(
  keyring: Keyring,
  index: NewIndex,
): Promise<{ record: IndexRecord; created: boolean }> {
  const { id, normalize, isUnique, complete } = index
  if (!isIndexId(id)) throw new TypeError('The id of an index is 1 to 1000 bytes of Unicode text.')
  if (!areNormalizers(normalize)) throw new TypeError('Normalizers are a list of their names.')
  const now = await readNow(indexRingOf(keyring))
  if (now.active.state !== 'active') throw keyringClosed(now.active.keyring)
  const former = now.indexes.get(id)
  if (former !== undefined) {
    if (former.normalize.join() !== normalize.join()) {
      throw refused(
        `Index ${id} holds values normalised by [${former.normalize.join(', ')}].`,
        'Normalizers never change in place: give the others a column of their own.',
      )
    }
    if (former.isUnique === isUnique) return { record: former, created: false }
    if (!isUnderOneKey(now, former)) {
      throw refused(
        `Index ${id} is ${former.isUnique ? '' : 'not '}unique, and a rotation of index keys is not over.`,
        'Finish it with `npx rowseal reindex`, then change the column.',
      )
    }
  }
  const keys = isUnique ? ([now.active.keyId, null] as const) : ([null, null] as const)
  const isComplete = former?.complete ?? complete
  const record: IndexRecord = {
    id,
    normalize,
    isUnique,
    complete: isComplete,
    lookup: 1,
    writes: 'lookup',
    keys,
  }
  await writeIndexes(keyring, now, { indexes: withRecord(now, record) })
  return { record, created: former === undefined }
}

/**
 * Forget a blind index whose columns are gone: no key is kept for it any more.
 *
 * @returns false if it was not registered.
 * @throws {KeyError} as `completeIndex`, except `ERR_INDEX_STATE`
 */
export async function unregisterIndex(keyring: Keyring, id: string): Promise<boolean> {
  const now = await readNow(indexRingOf(keyring))
  if (!now.indexes.has(id)) return false
  const indexes = [...now.indexes.values()].filter((record) => record.id !== id)
  await writeIndexes(keyring, now, { indexes })
  return true
}

/**
 * Note that every row has its value in an index: from now on it may be searched.
 *
 * @param seen - revision of the index keys by which that was found: nothing is changed if they are at another by now.
 * @throws {KeyError} `ERR_INDEX_STATE` if it is not registered; `ERR_KEYRING_CONFLICT` (retryable),
 *   `ERR_KEYRING_MISSING`, `ERR_KEY_UNAVAILABLE` (retryable), `ERR_KEY_MISMATCH`
 */
export function completeIndex(keyring: Keyring, id: string, seen?: number): Promise<IndexRecord> {
  return setComplete(keyring, id, true, seen)
}

/**
 * Note that an index may lack values: from now on look-ups are refused.
 *
 * @throws {KeyError} as `completeIndex`
 */
export function incompleteIndex(keyring: Keyring, id: string): Promise<IndexRecord> {
  return setComplete(keyring, id, false)
}

/**
 * Move a unique index to a neighbouring phase. An index that is there already is left alone.
 *
 * @param seen - as of `completeIndex`.
 * @returns its record as it now is.
 * @throws {KeyError} `ERR_INDEX_STATE` if it is not registered, not unique, the move is not legal, or
 *   a rotation begins while it is under the active key; else as `completeIndex`
 */
export async function moveIndex(
  keyring: Keyring,
  id: string,
  phase: IndexPhase,
  seen?: number,
): Promise<IndexRecord> {
  const now = await readIndexes(keyring, seen)
  const record = registered(now, id)
  const from = phaseOf(record)
  if (from === null) {
    throw refused(`Index ${id} is not unique and has no phases.`, 'Rewrite its values instead.')
  }
  if (from === phase) return record
  const move = INDEX_MOVES[from][phase]
  if (move === undefined) {
    throw refused(
      `Index ${id} cannot go from ${from} to ${phase}.`,
      `From ${from} it can go to ${Object.keys(INDEX_MOVES[from]).join(' or ')}.`,
    )
  }
  const moved = movedTo(record, phase, move, now.active.keyId)
  if (moved.keys[0] === moved.keys[1]) {
    throw refused(
      `Index ${id} is under the active index key already.`,
      'Make another index key active first.',
    )
  }
  await writeIndexes(keyring, now, { indexes: withRecord(now, moved) })
  return moved
}

async function setComplete(
  keyring: Keyring,
  id: string,
  complete: boolean,
  seen?: number,
): Promise<IndexRecord> {
  const now = await readIndexes(keyring, seen)
  const record = registered(now, id)
  if (record.complete === complete) return record
  const changed: IndexRecord = { ...record, complete }
  await writeIndexes(keyring, now, { indexes: withRecord(now, changed) })
  return changed
}

function registered(now: Snapshot, id: string): IndexRecord {
  const record = now.indexes.get(id)
  if (record !== undefined) return record
  throw refused(`Index ${id} is not registered.`, '`npx rowseal reindex` registers it.')
}

/** The whole list with one record put in its place, or at the end. */
function withRecord(now: Snapshot, record: IndexRecord): readonly IndexRecord[] {
  return [...new Map(now.indexes).set(record.id, record).values()]
}

/** Is there only one key that a value of this index can be under, and only slot 1 to hold it? */
function isUnderOneKey(now: Snapshot, record: IndexRecord): boolean {
  const live = [...now.rows.values()].filter(mayMatch)
  return live.length === 1 && (!record.isUnique || phaseOf(record) === 'slot-1')
}

function refused(what: string, fix: string): KeyError {
  return new KeyError('ERR_INDEX_STATE', what, { fix })
}
