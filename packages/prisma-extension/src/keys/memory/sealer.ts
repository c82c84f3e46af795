import type { NoncePool } from '../../nonce-pool.ts'
import { nameOf, type DekCache } from './dek-cache.ts'
import { createDeks, type Kek } from './dek-wrap.ts'
import type { KekCache } from './kek-cache.ts'
import type { DekLeases } from './kms-leases.ts'
import { keyringClosed, unsettled } from '../keyring-errors.ts'
import type { StoreReader } from '../reading/reader.ts'
import type { Dek, KeyRow, Via } from '../types.ts'
import type { Uses } from '../reading/uses.ts'

const MAX_DEKS = 1_000_000
/** How often sealing starts over when the keyring changes while keys are loaded. */
const MAX_TRIES = 3

interface SealerOptions {
  readonly keyring: string
  readonly reader: StoreReader
  readonly keks: KekCache
  readonly deks: DekCache
  readonly leases: DekLeases
  readonly uses: Uses
  readonly nonces: NoncePool
}

/** Makes the DEKs that records are sealed with, under the active key version and as that says. */
export class Sealer {
  readonly #options: SealerOptions
  #wrapped = 0

  constructor(options: SealerOptions) {
    this.#options = options
  }

  /** DEKs made, by whichever key. */
  get wraps(): number {
    return this.#wrapped + this.#options.leases.made
  }

  /** See `Keyring.forProtect`. */
  async protect(count: number, via?: Via, remember = true): Promise<Dek[]> {
    if (!Number.isInteger(count) || count < 0 || count > MAX_DEKS) {
      throw new TypeError(`count must be a whole number from 0 to ${MAX_DEKS}`)
    }
    if (count === 0) return []
    this.#options.reader.refreshIfDue()
    return this.#fromMemory(count, via, remember) ?? this.#fetch(count, via, remember)
  }

  /** Null if something must be waited for. */
  #fromMemory(count: number, via: Via | undefined, remember: boolean): Dek[] | null {
    const { reader, keks, leases, uses } = this.#options
    const row = reader.fresh()?.snapshot.active
    if (row?.state !== 'active') return null
    const kek = keks.get(row)
    if (kek === undefined) return null
    if (row.suite === 0x02) return leases.held(row, count)
    return uses.take(kek.keyId, count, via) ? this.#wrap(kek, count, remember) : null
  }

  /** Loading, reserving and making can take long, so the keyring is looked at once more afterwards. */
  #fetch(count: number, via: Via | undefined, remember: boolean): Promise<Dek[]> {
    const { keks, leases } = this.#options
    return this.#settled(via, async (row) => {
      if (row.suite === 0x02) {
        const deks = await leases.take(row, count, remember)
        await keks.load(row) // or the root key has refused it meanwhile
        return () => deks
      }
      const kek = await this.#reserved(row, count, via)
      return () => this.#wrap(kek, count, remember)
    })
  }

  /**
   * The active KEK, with so many uses of it reserved. Null if the root key wraps the DEKs under it.
   *
   * @throws as `Keyring.forProtect`
   */
  kek(count: number): Promise<Kek | null> {
    this.#options.reader.refreshIfDue()
    return this.#settled(undefined, async (row) => {
      const kek = row.suite === 0x02 ? null : await this.#reserved(row, count, undefined)
      if (kek !== null) this.#wrapped += count
      return () => kek
    })
  }

  async #reserved(row: KeyRow, count: number, via: Via | undefined): Promise<Kek> {
    const kek = await this.#options.keks.load(row)
    await this.#options.uses.reserve(row.keyId, count, via)
    return kek
  }

  /** Do something with the active version, again if it is another one by then. */
  async #settled<R>(via: Via | undefined, take: (row: KeyRow) => Promise<() => R>): Promise<R> {
    const { keyring, reader } = this.#options
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const held = reader.fresh() ?? (await reader.demand(via))
      const row = held.snapshot.active
      if (row.state !== 'active') throw keyringClosed(keyring)
      const give = await take(row)
      const now = reader.current(held)
      if (now?.snapshot.active.keyId === row.keyId) return give()
    }
    throw unsettled(keyring)
  }

  #wrap(kek: Kek, count: number, remember: boolean): Dek[] {
    const { nonces, deks } = this.#options
    this.#wrapped += count
    const keep = (dek: Dek, bytes: Uint8Array): void => deks.set(nameOf(dek), bytes)
    return createDeks(kek, count, nonces, remember ? keep : undefined)
  }
}
