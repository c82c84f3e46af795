import { randomFillSync } from 'node:crypto'
import { startupSnapshot } from 'node:v8'

/** Of AES-GCM: 96 bits. */
export const NONCE_BYTES = 12
const POOL_NONCES = 1024

/**
 * Random nonces from memory that the CSPRNG fills ahead, since a call of its own costs 40 times as
 * much. For nonces only, which are public; keys come straight from the CSPRNG. Each byte is handed out
 * once. The pool is filled at first use, and never kept in a start-up snapshot, which
 * would give several processes the same nonces.
 */
export class NoncePool {
  readonly #pool = Buffer.alloc(POOL_NONCES * NONCE_BYTES)
  readonly #fill: (pool: Buffer) => void
  readonly #isBuildingSnapshot: () => boolean
  #used = POOL_NONCES * NONCE_BYTES

  constructor(
    fill: (pool: Buffer) => void = (pool) => void randomFillSync(pool),
    isBuildingSnapshot: () => boolean = () => startupSnapshot.isBuildingSnapshot(),
  ) {
    this.#fill = fill
    this.#isBuildingSnapshot = isBuildingSnapshot
  }

  /** Write the next 12 bytes into `target` at `at`. */
  take(target: Buffer, at: number): void {
    if (this.#used === this.#pool.length) {
      this.#fill(this.#pool)
      this.#used = 0
    }
    for (let i = 0; i < NONCE_BYTES; i++) target[at + i] = this.#pool[this.#used + i]!
    this.#used = this.#isBuildingSnapshot() ? this.#pool.length : this.#used + NONCE_BYTES
  }

  /** The next 12 bytes. */
  next(): Buffer {
    const nonce = Buffer.allocUnsafe(NONCE_BYTES)
    this.take(nonce, 0)
    return nonce
  }
}
