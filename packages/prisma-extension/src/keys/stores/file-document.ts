import { KeyError } from '../../errors.ts'
import type { KeyringSnapshot } from '../types.ts'
import { documentOf, snapshotOf } from './document.ts'

/** Version of the file this code writes. It reads no other one. */
export const FORMAT = 2

/** All a file key store holds. */
export interface StoreContent {
  readonly keyrings: ReadonlyMap<string, KeyringSnapshot>
}

export const EMPTY: StoreContent = { keyrings: new Map() }

/** The whole file: keyrings by name, uses by key id, one line for each field. */
export function encodeStore({ keyrings }: StoreContent): string {
  const sorted = [...keyrings.values()].sort((a, b) => (a.head.keyring < b.head.keyring ? -1 : 1))
  const uses = sorted.flatMap(({ keys }) => keys.map((row) => [row.keyId, row.uses] as const))
  const document = {
    format: FORMAT,
    uses: uses.sort(([a], [b]) => a - b),
    keyrings: sorted.map(documentOf),
  }
  return `${JSON.stringify(document, null, 1)}\n`
}

/**
 * @throws {KeyError} `ERR_STORE_NEWER`, `ERR_STORE_TAMPERED` for anything that `encodeStore` would not write.
 */
export function decodeStore(text: string, store: string): StoreContent {
  const document = parsed(text, store)
  const { format, uses, keyrings } = document
  if (Number.isSafeInteger(format) && format !== FORMAT) throw newer(store, Number(format))
  if (!Array.isArray(keyrings) || !Array.isArray(uses)) throw nonsense(store)
  const counts = new Map<unknown, unknown>()
  for (const pair of uses as unknown[]) if (Array.isArray(pair)) counts.set(pair[0], pair[1])
  const usesOf = (keyId: number): number => {
    const count = counts.get(keyId)
    if (Number.isSafeInteger(count)) return count as number
    throw nonsense(store)
  }
  const found = new Map<string, KeyringSnapshot>()
  for (const keyring of keyrings as unknown[]) {
    const name = (keyring as { keyring?: unknown } | null)?.keyring
    if (typeof name !== 'string') throw nonsense(store)
    found.set(name, snapshotOf(name, keyring, usesOf))
  }
  const content = { keyrings: found }
  if (encodeStore(content) !== text || hasTwice(content)) throw nonsense(store)
  return content
}

function parsed(text: string, store: string): Readonly<Record<string, unknown>> {
  try {
    const document = JSON.parse(text) as unknown
    if (typeof document === 'object' && document !== null)
      return document as Record<string, unknown>
  } catch {
    // The error of JSON.parse quotes the text.
  }
  throw nonsense(store)
}

function hasTwice({ keyrings }: StoreContent): boolean {
  const ids = [...keyrings.values()].flatMap(({ keys }) => keys.map(({ keyId }) => keyId))
  return new Set(ids).size < ids.length
}

function nonsense(store: string): KeyError {
  return new KeyError('ERR_STORE_TAMPERED', `The ${store} holds something else than was written.`, {
    fix: 'Somebody edited it: restore the key store from a backup.',
  })
}

/** What is said of a store of another format. */
export function newer(store: string, format: number | string): KeyError {
  return new KeyError(
    'ERR_STORE_NEWER',
    `The ${store} was written by a newer version of Rowseal: it has format ${format}.`,
    { fix: 'Update @rowseal/prisma-extension.' },
  )
}
