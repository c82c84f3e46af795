import { KeyError } from '../../errors.ts'
import type { KeyStore, Via } from '../types.ts'

/** Wraps of one KEK, each with a random 96-bit nonce: SP 800-38D, section 8.3. */
export const MAX_USES = 2 ** 32
/** An instance begins with a small block, as it may live for a moment only, and ends with this. */
const FIRST_BLOCK = 1024
const MAX_BLOCK = 65_536
const GROWTH = 4
/** How long an operation in a transaction waits for a connection beside it, milliseconds. */
const BESIDE_MS = 1000

/** A block on its way. */
interface Refill {
  readonly keyId: number
  /** At least so many; 0 if nobody waits for it. */
  readonly count: number
  readonly done: Promise<void>
}

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
  /** With less left than this, the next block is reserved in the background. */
  #low = 0
  #refilling: Refill | null = null
  /** Reserved in transactions since the last block, which may have been rolled back: reserved once more with the next. */
  #owed = 0

  constructor(keyring: string, store: KeyStore) {
    this.#keyring = keyring
    this.#store = store
  }

  /**
   * Take so many from what is reserved. No I/O; past half of a block the next is reserved in the background,
   * unless from inside a transaction that a write beside it would hold up.
   */
  take(keyId: number, count: number, via?: Via): boolean {
    if (keyId !== this.#keyId || count > this.#left) return false
    this.#left -= count
    if (this.#left < this.#low) this.#refillAside(keyId, via)
    return true
  }

  /**
   * Reserve at least so many, and take them.
   *
   * @param via - the interactive transaction the caller is in. A block is reserved beside it, as the lock on the
   *   key's row would else last as long as the transaction, and hold a rotation up. Where no connection is free
   *   for that, exactly so many are reserved in the transaction, for this operation only; as it may be rolled
   *   back, they are counted again with the next block.
   * @throws {KeyError} `ERR_KEY_EXHAUSTED`, `ERR_KEY_UNAVAILABLE` (retryable)
   */
  async reserve(keyId: number, count: number, via?: Via): Promise<void> {
    if (via === undefined) {
      while (!this.take(keyId, count)) await this.#refill(keyId, count)
      return
    }
    if (this.#store.isSingleWriter !== true) {
      await settled(this.#refill(keyId, count), BESIDE_MS)
      if (this.take(keyId, count, via)) return
    }
    if (!(await this.#ask(keyId, count, via))) throw this.#exhausted(keyId)
    this.#owed += count
  }

  /** Whoever finds nothing left asks again, and is told. Until then: once more with half of what is left. */
  #refillAside(keyId: number, via?: Via): void {
    if (via !== undefined && this.#store.isSingleWriter === true) return
    this.#refill(keyId, 0).catch(() => (this.#low = this.#left / 2))
  }

  /** One at a time. Whoever finds another one under way, for another key or for fewer, asks again after it. */
  #refill(keyId: number, count: number): Promise<void> {
    const running = this.#refilling
    if (running === null) {
      const done = this.#addBlock(keyId, count).finally(() => (this.#refilling = null))
      this.#refilling = { keyId, count, done }
      return done
    }
    const isOurs = running.keyId === keyId && running.count >= count
    return isOurs ? running.done : running.done.catch(() => undefined)
  }

  async #addBlock(keyId: number, count: number): Promise<void> {
    const block = keyId === this.#keyId ? Math.min(this.#block * GROWTH, MAX_BLOCK) : FIRST_BLOCK
    let size = Math.max(block, count)
    const owed = this.#owed
    if (await this.#ask(keyId, size + owed)) this.#owed -= owed
    else {
      // Less than a block may be left, and is for those who need it now.
      if (count === 0 || count === size || !(await this.#ask(keyId, count))) {
        throw this.#exhausted(keyId)
      }
      size = count
    }
    if (keyId !== this.#keyId) this.#left = 0
    this.#keyId = keyId
    this.#left += size
    this.#block = block
    this.#low = block / 2
  }

  #ask(keyId: number, count: number, via?: Via): Promise<boolean> {
    return this.#store.reserve(keyId, count, MAX_USES, via)
  }

  #exhausted(keyId: number): KeyError {
    return new KeyError(
      'ERR_KEY_EXHAUSTED',
      `Key ${keyId} of keyring "${this.#keyring}" has wrapped as many DEKs as a KEK may.`,
      { fix: 'Run `npx rowseal rotate`.' },
    )
  }
}

/** Wait until a promise is settled, however, but not longer than this. */
async function settled(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((done) => (timer = setTimeout(done, ms).unref()))
  await Promise.race([promise.catch(() => undefined), over])
  clearTimeout(timer)
}
