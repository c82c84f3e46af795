import { LRUCache } from 'lru-cache'
import type { KeyStore, Via } from '../types.ts'

/** Which keyring a key id belongs to, as far as it was asked. Key ids never change hands. */
export class KeyOwners {
  readonly #store: KeyStore
  readonly #known: LRUCache<number, string>

  /** @param entries - key ids remembered, at about 40 bytes each. */
  constructor(store: KeyStore, entries = 1000) {
    this.#store = store
    this.#known = new LRUCache({ max: entries })
  }

  /** What memory has. */
  get(keyId: number): string | undefined {
    return this.#known.get(keyId)
  }

  /** Null if no keyring of the store has it, which is not remembered. */
  async ask(keyId: number, via?: Via): Promise<string | null> {
    const owner = this.#known.get(keyId) ?? (await this.#store.keyringOf(keyId, via))
    if (owner !== null) this.#known.set(keyId, owner)
    return owner
  }

  note(keyIds: Iterable<number>, owner: string): void {
    for (const keyId of keyIds) this.#known.set(keyId, owner)
  }
}
