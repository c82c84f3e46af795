import { KeyError } from '../../errors.ts'
import type { Keyring } from '../keyring.ts'
import { holderWith, succeed, type Holder } from './lifecycle.ts'
import type { Snapshot } from '../reading/snapshot.ts'
import { mayProcess, moved } from './states.ts'
import type { KeyRow } from '../types.ts'
import { addVersion, commit, conflict, pendingOf, readNow } from './versions.ts'

/**
 * Take a key version out of use. If it is the active one, another takes over in the same step: the one
 * named, or the one that waits in `pre-activation`, or a new one.
 *
 * @param keyId - of a KEK or an index key.
 * @returns the versions whose state changed, as they now are.
 * @throws {KeyError} `ERR_KEY_STATE` if it is not active, or the successor cannot become so;
 *   `ERR_KEY_UNKNOWN`, `ERR_KEYRING_CONFLICT` (retryable), `ERR_KEY_UNAVAILABLE` (retryable)
 */
export async function suspendKey(
  keyring: Keyring,
  keyId: number,
  successor?: number,
): Promise<readonly KeyRow[]> {
  const holder = await holderWith(keyring, keyId)
  const assertActive = (now: Snapshot): void => {
    const row = versionIn(now, keyId)
    if (row !== now.active || row.state !== 'active') throw notFrom(row, 'suspended', 'active')
  }
  const before = await readNow(holder.ring)
  assertActive(before)
  const { now, to } = await withSuccessor(holder, before, new Set([keyId]), successor)
  assertActive(now)
  const { from, to: after } = await succeed(holder, now, to, 'suspended')
  return [from, after]
}

/**
 * Roll a rotation back: make a suspended version active again; the active one becomes suspended in the same
 * step.
 *
 * @returns the versions whose state changed, as they now are.
 * @throws {KeyError} `ERR_KEY_STATE` if it is not suspended; else as `suspendKey`
 */
export async function resumeKey(keyring: Keyring, keyId: number): Promise<readonly KeyRow[]> {
  const holder = await holderWith(keyring, keyId)
  const now = await readNow(holder.ring)
  const row = versionIn(now, keyId)
  if (row.state !== 'suspended') throw notFrom(row, 'active again', 'suspended')
  const { from, to } = await succeed(holder, now, row, 'suspended')
  return [from, to]
}

/**
 * Note that a key version leaked, and with it every version that holds DEKs re-wrapped from it. They open
 * what is under them until it is re-encrypted. If one is the active version, another takes over in the same
 * step.
 *
 * @returns the versions whose state changed, as they now are.
 * @throws {KeyError} `ERR_KEY_STATE` if it is destroyed; else as `suspendKey`
 */
export async function compromiseKey(
  keyring: Keyring,
  keyId: number,
  successor?: number,
): Promise<readonly KeyRow[]> {
  const holder = await holderWith(keyring, keyId)
  const { ring, refresh, keys } = holder
  const before = await readNow(ring)
  const row = versionIn(before, keyId)
  if (row.state === 'destroyed') throw notFrom(row, 'compromised', 'anything but destroyed')
  const affected = affectedBy(before, keyId)
  if (affected.length === 0) return []
  if (before.active.state === 'active' && affected.includes(before.active)) {
    const leaked = leakedWith(before, keyId)
    const { now, to } = await withSuccessor(holder, before, leaked, successor)
    // Making a successor took time: what is written is as it is now.
    const others = affectedBy(now, keyId).filter((other) => other !== now.active)
    if (now.active.keyId !== before.active.keyId || others.includes(to)) throw conflict(ring)
    await succeed(holder, now, to, 'compromised', leakedAt(others))
  } else {
    if (!(await commit(ring, before, { rows: leakedAt(affected) }))) throw conflict(ring)
    await refresh()
  }
  return keys().filter((after) => after.state !== before.rows.get(after.keyId)?.state)
}

function leakedAt(rows: readonly KeyRow[], at = new Date()): readonly KeyRow[] {
  return rows.map((row) => moved(row, 'compromised', at))
}

/** The versions that become compromised with this one. */
function affectedBy(now: Snapshot, keyId: number): readonly KeyRow[] {
  const leaked = leakedWith(now, keyId)
  return [...now.rows.values()].filter(
    (row) => leaked.has(row.keyId) && row.state !== 'compromised' && row.state !== 'destroyed',
  )
}

/** The version, and all that hold DEKs which were wrapped under it, directly or in turn. */
function leakedWith(now: Snapshot, keyId: number): Set<number> {
  const leaked = new Set([keyId])
  for (let size = 0; size < leaked.size;) {
    size = leaked.size
    for (const row of now.rows.values())
      if (row.rewrappedFrom.some((from) => leaked.has(from))) leaked.add(row.keyId)
  }
  return leaked
}

/** The version that takes over, made if there is none, and the keyring as it then is. */
async function withSuccessor(
  { ring }: Holder,
  before: Snapshot,
  leaving: ReadonlySet<number>,
  successor: number | undefined,
): Promise<{ now: Snapshot; to: KeyRow }> {
  if (successor !== undefined) {
    const to = versionIn(before, successor)
    const mayBegin = to.state === 'pre-activation' || to.state === 'suspended'
    if (mayBegin && mayProcess(to) && !leaving.has(successor)) return { now: before, to }
    throw notFrom(to, 'the successor', 'in pre-activation or suspended, and not leaked too')
  }
  const pending = pendingOf(before)
  if (pending !== undefined && !leaving.has(pending.keyId)) return { now: before, to: pending }
  const now = await addVersion(ring, before)
  const to = pendingOf(now)
  if (to === undefined || leaving.has(to.keyId)) throw conflict(ring)
  return { now, to }
}

export function versionIn(now: Snapshot, keyId: number): KeyRow {
  const row = now.rows.get(keyId)
  if (row !== undefined) return row
  throw new KeyError('ERR_KEY_UNKNOWN', `The keyring has no key ${keyId}.`, {
    fix: '`npx rowseal keys list` shows all keys.',
  })
}

export function notFrom(row: KeyRow, to: string, needed: string): KeyError {
  return new KeyError(
    'ERR_KEY_STATE',
    `Key ${row.keyId} of keyring "${row.keyring}" is ${row.state} and cannot become ${to}.`,
    { fix: `It would have to be ${needed}. \`npx rowseal keys list\` shows all keys.` },
  )
}
