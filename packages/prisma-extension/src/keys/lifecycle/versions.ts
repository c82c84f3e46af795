import { KeyError } from '../../errors.ts'
import { baseKeyringOf } from '../indexes/index-name.ts'
import { digestsOf, type StoreMac } from '../reading/authentic.ts'
import { createKek } from '../memory/kek.ts'
import type { Wrapping } from '../options.ts'
import { keyringMissing } from '../keyring-errors.ts'
import { checkSnapshot, type Snapshot } from '../reading/snapshot.ts'
import type { IndexRecord, KeyRow, KeyState, KeyStore, RootKey } from '../types.ts'

/** How often a key id that another keyring took in the meantime is replaced by the next one. */
export const MAX_TRIES = 5

/** Whose key versions these are, and what makes them: a `Keyring`, or its index keys. */
export interface Ring {
  readonly name: string
  readonly store: KeyStore
  readonly root: RootKey
  readonly mac: StoreMac
  /** What is to wrap DEKs under new versions; index keys wrap none. */
  readonly wrapping?: Wrapping
}

/** What is to be otherwise. What is absent stays. */
export interface Change {
  readonly activeKeyId?: number
  /** Key versions that are new or change, each whole. */
  readonly rows?: readonly KeyRow[]
  /** The whole new list. */
  readonly indexes?: readonly IndexRecord[]
  /** The MAC key under another root key. */
  readonly macKey?: Snapshot['macKey']
}

/** The store as it is now, not as anybody last saw it. */
export async function readNow(ring: Ring): Promise<Snapshot> {
  const floor = ring.mac.revision
  const raw = await ring.store.read(ring.name)
  if (raw === null) throw keyringMissing(ring.name, ring.store)
  const snapshot = checkSnapshot(ring.name, raw)
  await ring.mac.assertAuthentic(raw, floor)
  return snapshot
}

/**
 * Change a keyring as it was read, signed.
 *
 * @returns false if it is not so any more, or a new key's id is taken: nothing was changed then.
 * @throws {KeyError} `ERR_KEY_STATE`, and what root key and store throw.
 */
export async function commit(ring: Ring, before: Snapshot, change: Change): Promise<boolean> {
  const { activeKeyId = before.active.keyId, rows = [], macKey = before.macKey } = change
  const next = new Map(before.rows)
  for (const row of rows) next.set(row.keyId, row)
  const head = await ring.mac.sign({
    keyring: ring.name,
    activeKeyId,
    revision: before.revision + 1,
    indexes: change.indexes ?? [...before.indexes.values()],
    digests: digestsOf(next.values()),
    macKey,
  })
  checkSnapshot(ring.name, { head, keys: [...next.values()] }) // what nobody would take is not written
  const isWritten = await ring.store.write({
    keyring: ring.name,
    expectedRevision: before.revision,
    formerKeyId: before.active.keyId,
    head,
    rows: rows.map((row) => ({ from: before.rows.get(row.keyId)?.state ?? null, row })),
  })
  if (isWritten) ring.mac.note(head)
  return isWritten
}

/** As `commit`, for the first version of a keyring that does not exist yet. */
export async function commitFirst(ring: Ring, row: KeyRow): Promise<boolean> {
  const head = await ring.mac.sign({
    keyring: ring.name,
    activeKeyId: row.keyId,
    revision: 1,
    indexes: [],
    digests: digestsOf([row]),
    macKey: await ring.mac.create(),
  })
  return ring.store.write({
    keyring: ring.name,
    expectedRevision: 0,
    formerKeyId: null,
    head,
    rows: [{ from: null, row }],
  })
}

/** A key version that is not stored yet. Its key is in nobody's memory. */
export async function newVersion(ring: Ring, version: number, state: KeyState): Promise<KeyRow> {
  const keyId = await ring.store.nextKeyId()
  const kek = await createKek(ring.root, { keyring: ring.name, keyId, use: 'kek' })
  const createdAt = new Date()
  return {
    ...kek,
    keyId,
    keyring: ring.name,
    version,
    state,
    suite: ring.wrapping === 'kms' ? 0x02 : 0x01,
    createdAt,
    activatedAt: state === 'active' ? createdAt : null,
    suspendedAt: null,
    compromisedAt: null,
    destroyAt: null,
    stateAt: createdAt,
    rewrappedFrom: [],
    uses: 0,
  }
}

/** Store the next version, in `pre-activation`. Of two at once, one is told so. */
export async function addVersion(ring: Ring, before: Snapshot): Promise<Snapshot> {
  assertNotEnding(before)
  const version = 1 + Math.max(...[...before.rows.values()].map((row) => row.version))
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const row = await newVersion(ring, version, 'pre-activation')
    const isAdded = await commit(ring, before, { rows: [row] })
    const now = await readNow(ring)
    if (isAdded) return now
    if (now.revision !== before.revision) throw conflict(ring)
  }
  throw conflict(ring)
}

/** A keyring that is about to be destroyed is not opened again by the way. */
export function assertNotEnding({ active: { keyring, destroyAt } }: Snapshot): void {
  if (destroyAt === null) return
  throw new KeyError(
    'ERR_KEY_STATE',
    `Keyring "${keyring}" is about to be destroyed: it gets no new version.`,
    {
      fix: `\`npx rowseal keys destroy --keyring ${baseKeyringOf(keyring)} --cancel\` first, if it is needed again.`,
    },
  )
}

/** The newest version waiting to become active. */
export function pendingOf(snapshot: Snapshot): KeyRow | undefined {
  const waiting = [...snapshot.rows.values()].filter(({ state }) => state === 'pre-activation')
  return waiting.sort((a, b) => b.version - a.version)[0]
}

export function conflict({ name }: Pick<Ring, 'name'>): KeyError {
  return new KeyError(
    'ERR_KEYRING_CONFLICT',
    `Somebody else changed keyring "${name}" at the same time.`,
    { fix: 'Look at `npx rowseal status`, then try again if it is still needed.', retryable: true },
  )
}
