import { fromRoot } from '../memory/kek.ts'
import type { Keyring } from '../keyring.ts'
import { holderOf } from './lifecycle.ts'
import type { Snapshot } from '../reading/snapshot.ts'
import type { KeyRow, WrapContext, WrappedKey } from '../types.ts'
import { commit, conflict, readNow, type Ring } from './versions.ts'

export interface Rewrapped {
  readonly keyring: string
  readonly keyId: number
  readonly from: string
  /** The same as `from` for a version of suite 0x02: its DEKs, which are in the values, stay there too. */
  readonly to: string
}

/**
 * Bring the KEKs and index keys of a keyring, and the keys of their MACs, under the root key that is used
 * now. No value changes, and a KMS does it without giving a key out. All of a keyring in one step. Versions
 * of suite 0x02 stay: values hold DEKs that only their root key opens, until they are drained.
 *
 * @returns the key versions that were under another root key; `keyId` 0 is the MAC key.
 * @throws {KeyError} `ERR_KEYRING_CONFLICT` (retryable), what the root key throws. Nothing was changed then.
 */
export async function rewrapKeys(keyring: Keyring): Promise<readonly Rewrapped[]> {
  const done: Rewrapped[] = []
  for (const what of ['keks', 'index'] as const) {
    const { ring, refresh } = holderOf(keyring, what)
    if (!(await refresh())) continue
    done.push(...(await rewrapRing(ring, await readNow(ring))))
    await refresh()
  }
  return done
}

async function rewrapRing(ring: Ring, now: Snapshot): Promise<readonly Rewrapped[]> {
  const { rootKeyId } = await fromRoot(ring.root, () => ring.root.describe())
  const rows: KeyRow[] = []
  const done: Rewrapped[] = []
  const note = (keyId: number, before: WrappedKey, after: WrappedKey): void => {
    done.push({ keyring: ring.name, keyId, from: before.rootKeyId, to: after.rootKeyId })
  }
  for (const row of now.rows.values()) {
    if (row.state === 'destroyed' || row.rootKeyId === rootKeyId) continue
    const { keyId, wrappedKek } = row
    const under = { wrapped: wrappedKek, rootKeyId: row.rootKeyId }
    if (row.suite === 0x02) {
      note(keyId, under, under)
      continue
    }
    const context: WrapContext = { keyring: ring.name, keyId, use: 'kek' }
    const to = await fromRoot(ring.root, () => ring.root.rewrap(wrappedKek, row.rootKeyId, context))
    note(keyId, under, to)
    rows.push({ ...row, rootKeyId: to.rootKeyId, wrappedKek: to.wrapped })
  }
  let macKey = now.macKey
  if (macKey.rootKeyId !== rootKeyId) {
    macKey = await ring.mac.rewrap(now.macKey)
    note(0, now.macKey, macKey)
  }
  if (rows.length === 0 && macKey === now.macKey) return done
  if (!(await commit(ring, now, { rows, macKey }))) throw conflict(ring)
  return done
}
