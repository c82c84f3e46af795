import { randomFillSync } from 'node:crypto'

export const NONCE_BYTES = 12
const NONCES_PER_FILL = 256

/**
 * Random 96-bit nonces, drawn from the CSPRNG 256 at a time because one draw costs as much as 256.
 * Nonces are public; keys never come from here.
 */
export class NoncePool {
  readonly #pool = Buffer.allocUnsafeSlow(NONCE_BYTES * NONCES_PER_FILL)
  #at = this.#pool.length

  /** The next nonce. A view that stays valid until the next call. */
  next(): Uint8Array {
    if (this.#at === this.#pool.length) {
      randomFillSync(this.#pool)
      this.#at = 0
    }
    const nonce = this.#pool.subarray(this.#at, this.#at + NONCE_BYTES)
    this.#at += NONCE_BYTES
    return nonce
  }
}
