import { createSecretKey } from 'node:crypto'
import { KeyError } from '../../errors.ts'
import { ageMs, momentOf, type Clock, type Moment } from '../clock.ts'
import { KEY_BYTES } from './dek-wrap.ts'
import type { Batch, GuardedRoot } from '../root/guarded-root.ts'
import type { Dek, KeyRow, RootKey } from '../types.ts'

/** What the length field of an envelope of suite 0x02 allows. */
export const MAX_WRAPPED_BYTES = 4096

export interface DekLeasesOptions {
  readonly root: GuardedRoot
  readonly clock: Clock
  /** Records that one DEK may seal. */
  readonly maxRecordsPerDek: number
  /** How long one DEK may seal further records. Milliseconds. */
  readonly maxAgeMs: number
  /** Is shown each DEK's bytes, which are zeroed afterwards. */
  readonly keep: (dek: Dek, bytes: Uint8Array) => void
}

/** A DEK, there or on its way, and how many more records it may seal. */
interface Lease {
  readonly keyId: number
  readonly began: Moment
  readonly made: Promise<Dek>
  dek: Dek | null
  left: number
}

/**
 * Fresh DEKs of suite 0x02, each made and wrapped by the root key. With `maxRecordsPerDek` over 1,
 * records share one, also those of operations that come at once; never across key versions.
 */
export class DekLeases {
  readonly #options: DekLeasesOptions
  #current: Lease | null = null
  /** DEKs made. */
  made = 0

  constructor(options: DekLeasesOptions) {
    this.#options = options
  }

  /** DEKs for so many records, if the one in memory may seal them all. */
  held(row: KeyRow, count: number): Dek[] | null {
    const lease = this.#open(row)
    if (lease === null || lease.dek === null || lease.left < count) return null
    this.#use(lease, count)
    return new Array<Dek>(count).fill(lease.dek)
  }

  /**
   * One DEK for each record.
   *
   * @param row - the active key version; its KEK must be usable.
   * @throws {KeyError} what the root key throws; `ERR_KEY_MISMATCH` if it is another root key now than
   *   the version was made under.
   */
  take(row: KeyRow, count: number, remember: boolean): Promise<Dek[]> {
    const batch: Batch = { failure: null }
    const leases = new Array<Lease>(count)
    for (let i = 0; i < count; i++) {
      const lease = this.#open(row) ?? this.#begin(row, remember, batch)
      this.#use(lease, 1)
      leases[i] = lease
    }
    return Promise.all(leases.map(({ made }) => made))
  }

  /** No DEK seals any further record. */
  clear(): void {
    this.#current = null
  }

  /** The lease that may seal a further record. */
  #open(row: KeyRow): Lease | null {
    const { clock, maxAgeMs } = this.#options
    const lease = this.#current
    const isOpen =
      lease?.keyId === row.keyId && lease.left > 0 && ageMs(clock, lease.began) <= maxAgeMs
    return isOpen ? lease : null
  }

  #use(lease: Lease, count: number): void {
    lease.left -= count
    if (lease.left === 0 && this.#current === lease) this.#current = null
  }

  #begin(row: KeyRow, remember: boolean, batch: Batch): Lease {
    const { clock, maxRecordsPerDek } = this.#options
    const lease: Lease = {
      keyId: row.keyId,
      began: momentOf(clock),
      made: this.#options.root
        .limited(batch, () => this.#create(row, remember))
        .then(
          (dek) => (lease.dek = dek),
          (error: unknown) => {
            if (this.#current === lease) this.#current = null
            throw error
          },
        ),
      dek: null,
      left: maxRecordsPerDek,
    }
    this.#current = lease
    return lease
  }

  async #create(row: KeyRow, remember: boolean): Promise<Dek> {
    const { root, keep } = this.#options
    const { keyId, keyring } = row
    const { key, wrapped, rootKeyId } = await root.create({ keyring, keyId, use: 'dek' })
    try {
      if (!isSameKey(root, rootKeyId, row.rootKeyId)) throw movedOn(row, rootKeyId)
      if (key.length !== KEY_BYTES || wrapped.length < 1 || wrapped.length > MAX_WRAPPED_BYTES) {
        throw unfit(row, root)
      }
      const dek: Dek = { keyId, suite: 0x02, wrapped, key: createSecretKey(key) }
      this.made++
      if (remember) keep(dek, key)
      return dek
    } finally {
      key.fill(0)
    }
  }
}

/** Replicas of one key in several regions have one id but for the region. */
export function isSameKey(root: RootKey, a: string, b: string): boolean {
  return a === b || withoutRegion(root, a) === withoutRegion(root, b)
}

function withoutRegion(root: RootKey, rootKeyId: string): string {
  const region = root.regionOf(rootKeyId)
  return region === null ? rootKeyId : rootKeyId.replace(`:${region}:`, '::')
}

/** The error for a version whose root key is no longer the one that wraps new keys. */
export function movedOn({ keyId, keyring, rootKeyId }: KeyRow, now: string): KeyError {
  return new KeyError(
    'ERR_KEY_MISMATCH',
    `Key ${keyId} of keyring "${keyring}" takes its DEKs from root key ${rootKeyId}, and the one given is now ${now}.`,
    { fix: 'Run `npx rowseal rotate`: the next key version takes its DEKs from the new root key.' },
  )
}

/** The error for a DEK that a root key made too long or too short. */
export function unfit({ keyId, keyring }: KeyRow, { provider }: RootKey): KeyError {
  return new KeyError(
    'ERR_KEY_MISMATCH',
    `The root key (${provider}) made a DEK for key ${keyId} of keyring "${keyring}" that is not 32 bytes, or does not fit an envelope wrapped.`,
    {
      fix: `A DEK has ${KEY_BYTES} bytes, and wrapped 1 to ${MAX_WRAPPED_BYTES}: use another provider.`,
    },
  )
}
