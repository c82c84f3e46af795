import { KeyError } from '../errors.ts'
import type { KeyStore, Via } from './types.ts'

/** Wraps of one KEK, each with a random 96-bit nonce: SP 800-38D, section 8.3. */
export const MAX_USES = 2 ** 32
/** An instance begins with a small block, as it may live for a moment only, and ends with this. */
const FIRST_BLOCK = 1024
const MAX_BLOCK = 65_536
const GROWTH = 4

/**
 * Counts the DEKs wrapped under the active KEK. Blocks are reserved in the store before they are used, so
 * what it says is never below the truth; what an instance did not use when it ends is lost.
 */
export class Uses {
  readonly #keyring: string
  readonly #store: KeyStore
  #keyId: number | null = null
  #left = 0
  #block = FIRST_BLOCK
  #refilling: Promise<void> | null = null

  constructor(keyring: string, store: KeyStore) {
    this.#keyring = keyring
    this.#store = store
  }

  /**
   * Take so many from what is reserved. No I/O; past half of a block the next is reserved in the background,
   * but not from inside a transaction, which may hold the only connection.
   */
  take(keyId: number, count: number, via?: Via): boolean {
    if (keyId !== this.#keyId || count > this.#left) return false
    this.#left -= count
    if (this.#left < this.#block / 2 && via === undefined) {
      this.#refill(keyId, 0).catch(() => undefined) // whoever finds nothing left asks again, and is told
    }
    return true
  }

  /**
   * Reserve at least so many, and take them.
   *
   * @param via - the interactive transaction the caller is in: then exactly so many are reserved in it, and
   *   stand for this operation only, since the transaction may be rolled back.
   * @throws {KeyError} `ERR_KEY_EXHAUSTED`, `ERR_KEY_UNAVAILABLE` (retryable)
   */
  async reserve(keyId: number, count: number, via?: Via): Promise<void> {
    if (via !== undefined) return this.#ask(keyId, count, via)
    while (!this.take(keyId, count)) await this.#refill(keyId, count)
  }

  /** One at a time. */
  #refill(keyId: number, count: number): Promise<void> {
    this.#refilling ??= this.#addBlock(keyId, count).finally(() => (this.#refilling = null))
    return this.#refilling
  }

  async #addBlock(keyId: number, count: number): Promise<void> {
    const block = keyId === this.#keyId ? Math.min(this.#block * GROWTH, MAX_BLOCK) : FIRST_BLOCK
    const size = Math.max(block, count)
    await this.#ask(keyId, size)
    if (keyId !== this.#keyId) this.#left = 0
    this.#keyId = keyId
    this.#left += size
    this.#block = block
  }

  async #ask(keyId: number, count: number, via?: Via): Promise<void> {
    if (await this.#store.reserve(keyId, count, MAX_USES, via)) return
    throw new KeyError(
      'ERR_KEY_EXHAUSTED',
      `Key ${keyId} of keyring "${this.#keyring}" has wrapped as many DEKs as a KEK may.`,
      { fix: 'Run `npx rowseal rotate`.' },
    )
  }
}
