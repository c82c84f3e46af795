import { createSecretKey } from 'node:crypto'
import { KeyError, type RowsealError } from '../../errors.ts'
import { KEY_BYTES, refused } from './dek-wrap.ts'
import type { Batch, GuardedRoot } from '../root/guarded-root.ts'
import type { Opened } from './opener.ts'
import type { KeyRow, WrappedDek } from '../types.ts'

export interface DekUnwrapsOptions {
  readonly root: GuardedRoot
  /** Is shown each DEK's bytes, which are zeroed afterwards. */
  readonly keep: (dek: WrappedDek, bytes: Uint8Array) => void
  /** Told that the root key refuses to unwrap under this key version. */
  readonly onDenied: (row: KeyRow) => void
}

/** A wrapped DEK of suite 0x02, its name in the DEK cache, and its key version. */
export interface Sealed {
  readonly name: string
  readonly row: KeyRow
  readonly dek: WrappedDek
}

/** One that is under way, or waits for its turn. */
interface Running {
  readonly opened: Promise<Opened>
  /** Was the root key asked? Else it ended with something else of the operation that began it. */
  readonly isAsked: () => boolean
}

/** Unwraps DEKs of suite 0x02 by the root key: one call under way for each, failures never kept. */
export class DekUnwraps {
  readonly #options: DekUnwrapsOptions
  readonly #running = new Map<string, Running>()
  /** DEKs unwrapped. */
  done = 0

  constructor(options: DekUnwrapsOptions) {
    this.#options = options
  }

  /**
   * @param wanted - their KEKs must be usable.
   * @param remember - keep them for the next time?
   * @returns by name: the DEK, or `ERR_ENVELOPE_AUTH` for one that does not open.
   * @throws {KeyError} any other error of the root key; no further call goes out then.
   */
  async open(wanted: readonly Sealed[], remember: boolean): Promise<Map<string, Opened>> {
    const batch: Batch = { failure: null }
    const opened = await Promise.all(wanted.map((one) => this.#open(one, remember, batch)))
    return new Map(wanted.map(({ name }, i) => [name, opened[i]!]))
  }

  /** Another operation that asks for it already may end with what has nothing to do with it. */
  async #open(one: Sealed, remember: boolean, batch: Batch): Promise<Opened> {
    for (let joined = this.#running.get(one.name); joined !== undefined;) {
      try {
        return await joined.opened
      } catch (error) {
        if (joined.isAsked()) throw error
        joined = this.#running.get(one.name)
      }
    }
    return this.#start(one, remember, batch)
  }

  #start(one: Sealed, remember: boolean, batch: Batch): Promise<Opened> {
    let isAsked = false
    const opened = this.#options.root
      .limited(batch, () => {
        isAsked = true
        return this.#unwrap(one, remember)
      })
      .finally(() => this.#running.delete(one.name))
    this.#running.set(one.name, { opened, isAsked: () => isAsked })
    return opened
  }

  async #unwrap({ row, dek }: Sealed, remember: boolean): Promise<Opened> {
    const { root, keep, onDenied } = this.#options
    const { keyId, keyring, rootKeyId } = row
    this.done++
    let bytes: Buffer
    try {
      bytes = await root.unwrap(dek.wrapped, rootKeyId, { keyring, keyId, use: 'dek' })
    } catch (error) {
      const ours = refusalOf(error)
      if (ours !== null) return ours
      if (error instanceof KeyError && !error.retryable) onDenied(row)
      throw error
    }
    try {
      if (bytes.length !== KEY_BYTES) return refused()
      if (remember) keep(dek, bytes)
      return createSecretKey(bytes)
    } finally {
      bytes.fill(0)
    }
  }
}

/** A blob that does not open is the value's fault, and told like every other; the KEK's check value has proved the root key. */
export function refusalOf(error: unknown): RowsealError | null {
  return error instanceof KeyError && error.code === 'ERR_KEY_MISMATCH' ? refused() : null
}
