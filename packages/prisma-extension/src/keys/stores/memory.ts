import { assertLegal } from '../states.ts'
import type {
  KeyringChange,
  KeyringHead,
  KeyringSnapshot,
  KeyRow,
  KeyState,
  KeyStore,
} from '../types.ts'

/** A key store in this process's memory, for tests. What it holds is gone with the process. */
export function memoryKeyStore(): KeyStore {
  return new MemoryKeyStore()
}

class MemoryKeyStore implements KeyStore {
  readonly name = 'memory key store'
  readonly #heads = new Map<string, KeyringHead>()
  readonly #keys = new Map<number, KeyRow>()

  init(): Promise<void> {
    return Promise.resolve()
  }

  ddl(): readonly string[] {
    return []
  }

  read(keyring: string): Promise<KeyringSnapshot | null> {
    const head = this.#heads.get(keyring)
    return Promise.resolve(
      head === undefined ? null : { head: copyOfHead(head), keys: this.#of(keyring).map(copy) },
    )
  }

  keyringOf(keyId: number): Promise<string | null> {
    return Promise.resolve(this.#keys.get(keyId)?.keyring ?? null)
  }

  nextKeyId(): Promise<number> {
    return Promise.resolve(Math.max(0, ...this.#keys.keys()) + 1)
  }

  create(key: KeyRow): Promise<boolean> {
    if (this.#heads.has(key.keyring) || this.#keys.has(key.keyId)) return Promise.resolve(false)
    this.#keys.set(key.keyId, copy(key))
    const { keyring, keyId } = key
    this.#heads.set(keyring, { keyring, activeKeyId: keyId, revision: 1, indexes: [] })
    return Promise.resolve(true)
  }

  add(key: KeyRow): Promise<boolean> {
    const head = this.#heads.get(key.keyring)
    const isTaken =
      this.#keys.has(key.keyId) ||
      this.#of(key.keyring).some(({ version }) => version === key.version)
    if (head === undefined || isTaken) return Promise.resolve(false)
    this.#keys.set(key.keyId, copy(key))
    this.#heads.set(key.keyring, { ...head, revision: head.revision + 1 })
    return Promise.resolve(true)
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- an illegal change must reject, not throw
  async change(change: KeyringChange): Promise<boolean> {
    assertLegal(change)
    const head = this.#heads.get(change.keyring)
    const former = change.transitions.find(({ from }) => from === 'active')?.keyId
    const isExpected =
      head?.revision === change.expectedRevision &&
      head.activeKeyId === (former ?? change.activeKeyId) &&
      change.transitions.every(({ keyId, from }) => {
        const row = this.#keys.get(keyId)
        return row?.keyring === change.keyring && row.state === from
      })
    if (!isExpected) return false
    for (const { keyId, to } of change.transitions) {
      this.#keys.set(keyId, moved(this.#keys.get(keyId)!, to, change.at))
    }
    const { keyring, activeKeyId, indexes = head.indexes } = change
    const revision = head.revision + 1
    this.#heads.set(keyring, copyOfHead({ keyring, activeKeyId, revision, indexes }))
    return true
  }

  #of(keyring: string): KeyRow[] {
    const rows = [...this.#keys.values()].filter((row) => row.keyring === keyring)
    return rows.sort((a, b) => a.version - b.version)
  }
}

function moved(row: KeyRow, state: KeyState, at: Date): KeyRow {
  const activatedAt = row.activatedAt ?? (state === 'active' ? at : null)
  const suspendedAt = state === 'active' ? null : row.state === 'active' ? at : row.suspendedAt
  return { ...row, state, activatedAt, suspendedAt }
}

function copyOfHead(head: KeyringHead): KeyringHead {
  return { ...head, indexes: structuredClone(head.indexes) }
}

function copy(row: KeyRow): KeyRow {
  return {
    ...row,
    wrappedKek: Uint8Array.from(row.wrappedKek),
    checkValue: Uint8Array.from(row.checkValue),
  }
}
