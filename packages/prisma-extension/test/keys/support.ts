import { randomBytes } from 'node:crypto'
import { digestsOf } from '../../src/keys/reading/authentic.ts'
import type {
  IndexRecord,
  KeyringSnapshot,
  KeyringWrite,
  KeyRow,
  KeyStore,
  RootKey,
} from '../../src/keys/types.ts'
import { localRootKey } from '../../src/keys/providers/local.ts'

export function newRoot(): RootKey {
  return localRootKey({ key: randomBytes(32) })
}

/** The same root key as an object whose methods can be replaced. */
export function delegating(root: RootKey): RootKey {
  return {
    provider: root.provider,
    create: root.create.bind(root),
    unwrap: root.unwrap.bind(root),
    rewrap: root.rewrap.bind(root),
    ...(root.rebind === undefined ? {} : { rebind: root.rebind.bind(root) }),
    describe: root.describe.bind(root),
    regions: root.regions.bind(root),
    regionOf: root.regionOf.bind(root),
  }
}

/** A root key that counts what it unwraps, the key of the store's MAC aside, and can be told to fail. */
export function watchedRoot(): RootKey & { calls: number; broken: boolean } {
  const root = newRoot()
  const watched = {
    ...delegating(root),
    calls: 0,
    broken: false,
    unwrap: async (...args: Parameters<RootKey['unwrap']>) => {
      if (args[2].use !== 'mac') watched.calls++
      await new Promise((done) => setImmediate(done))
      if (watched.broken) throw new Error('out of reach')
      return root.unwrap(...args)
    },
  }
  return watched
}

/** A key row that looks right; its bytes are random. */
export function rowOf(keyId: number, change: Partial<KeyRow> = {}): KeyRow {
  return {
    keyId,
    keyring: 'default',
    version: 1,
    state: 'active',
    suite: 0x01,
    rootKeyId: 'local:0123456789abcdef',
    wrappedKek: change.state === 'destroyed' ? new Uint8Array() : randomBytes(60),
    checkValue: randomBytes(32),
    createdAt: new Date(1_790_000_000_123),
    activatedAt: new Date(1_790_000_000_456),
    suspendedAt: null,
    compromisedAt: null,
    destroyAt: null,
    stateAt: new Date(1_790_000_000_456),
    rewrappedFrom: [],
    uses: 0,
    ...change,
  }
}

/** A write as `commit` would make it, with a MAC that means nothing: stores do not look at it. */
export function writeOf(
  before: KeyringSnapshot | null,
  change: { rows?: readonly KeyRow[]; activeKeyId?: number; indexes?: readonly IndexRecord[] },
): KeyringWrite {
  const { rows = [] } = change
  const keyring = before?.head.keyring ?? rows[0]!.keyring
  const next = new Map((before?.keys ?? []).map((row) => [row.keyId, row]))
  for (const row of rows) next.set(row.keyId, row)
  const expectedRevision = before?.head.revision ?? 0
  return {
    keyring,
    expectedRevision,
    formerKeyId: before?.head.activeKeyId ?? null,
    head: {
      keyring,
      activeKeyId: change.activeKeyId ?? before?.head.activeKeyId ?? rows[0]!.keyId,
      revision: expectedRevision + 1,
      indexes: change.indexes ?? before?.head.indexes ?? [],
      digests: digestsOf(next.values()),
      macKey: { rootKeyId: 'local:0123456789abcdef', wrapped: Uint8Array.from(randomBytes(60)) },
      mac: Uint8Array.from(randomBytes(32)),
    },
    rows: rows.map((row) => ({
      from: before?.keys.find(({ keyId }) => keyId === row.keyId)?.state ?? null,
      row,
    })),
  }
}

/** A real store that counts reads and can be held up, broken, or shown edited. */
export function watchedStore(store: KeyStore): KeyStore & Watched {
  const watched: KeyStore & Watched = Object.assign(
    Object.create(store) as KeyStore,
    {
      name: store.name,
      reads: 0,
      vias: [],
      error: null,
      hold: null,
      edit: null,
    } as Watched,
  )
  const methods = ['init', 'ddl', 'nextKeyId', 'write', 'reserve', 'keyrings', 'keyringOf'] as const
  for (const name of methods) watched[name] = store[name].bind(store) as any
  watched.read = async (keyring, via) => {
    watched.reads++
    watched.vias.push(via)
    if (watched.hold !== null) await watched.hold
    if (watched.error !== null) throw watched.error
    const snapshot = await store.read(keyring)
    return snapshot !== null && watched.edit !== null ? watched.edit(snapshot) : snapshot
  }
  return watched
}

export interface Watched {
  reads: number
  vias: unknown[]
  error: Error | null
  hold: Promise<void> | null
  edit: ((snapshot: any) => any) | null
}

/** Clocks that a test moves. */
export function testClock(): {
  now: { wall: number; monotonic: number }
  wall(): number
  monotonic(): number
  pass(ms: number): void
} {
  const now = { wall: 1_790_000_000_000, monotonic: 1000 }
  return {
    now,
    wall: () => now.wall,
    monotonic: () => now.monotonic,
    pass: (ms) => {
      now.wall += ms
      now.monotonic += ms
    },
  }
}
