import type { KeyringSnapshot, KeyringWrite, KeyStore } from '../types.ts'
import { applied } from './apply.ts'

/** A key store in this process's memory, for tests. What it holds is gone with the process. */
export function memoryKeyStore(): KeyStore {
  return new MemoryKeyStore()
}

class MemoryKeyStore implements KeyStore {
  readonly name = 'memory key store'
  readonly #keyrings = new Map<string, KeyringSnapshot>()

  init(): Promise<void> {
    return Promise.resolve()
  }

  ddl(): readonly string[] {
    return []
  }

  read(keyring: string): Promise<KeyringSnapshot | null> {
    return Promise.resolve(structuredClone(this.#keyrings.get(keyring) ?? null))
  }

  keyringOf(keyId: number): Promise<string | null> {
    return Promise.resolve(this.#ownerOf(keyId)?.head.keyring ?? null)
  }

  nextKeyId(): Promise<number> {
    const ids = [...this.#keyrings.values()].flatMap(({ keys }) => keys.map(({ keyId }) => keyId))
    return Promise.resolve(Math.max(0, ...ids) + 1)
  }

  keyrings(prefix: string): Promise<readonly string[]> {
    const names = [...this.#keyrings.keys()].filter((name) => name.startsWith(prefix))
    return Promise.resolve(names.sort())
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- an illegal change must reject, not throw
  async write(change: KeyringWrite): Promise<boolean> {
    const { keyring } = change
    const isTaken = (keyId: number): boolean => this.#ownerOf(keyId) !== undefined
    const next = applied(this.#keyrings.get(keyring) ?? null, change, isTaken)
    if (next === null) return false
    this.#keyrings.set(keyring, structuredClone(next))
    return true
  }

  reserve(keyId: number, count: number, limit: number): Promise<boolean> {
    const owner = this.#ownerOf(keyId)
    const row = owner?.keys.find((key) => key.keyId === keyId)
    if (owner === undefined || row === undefined || row.uses + count > limit)
      return Promise.resolve(false)
    const keys = owner.keys.map((key) => (key === row ? { ...row, uses: row.uses + count } : key))
    this.#keyrings.set(owner.head.keyring, { ...owner, keys })
    return Promise.resolve(true)
  }

  #ownerOf(keyId: number): KeyringSnapshot | undefined {
    return [...this.#keyrings.values()].find(({ keys }) => keys.some((key) => key.keyId === keyId))
  }
}
