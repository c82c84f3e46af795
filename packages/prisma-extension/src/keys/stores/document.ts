import { tampered } from '../reading/authentic.ts'
import { isKeyState } from '../lifecycle/states.ts'
import type { KeyringHead, KeyringSnapshot, KeyRow, Suite } from '../types.ts'

// A keyring as JSON, for stores that hold one document for each. Bytes are base64, times milliseconds since 1970.
// Uses are not in it: they change without the rest. docs/spec/key-store-v2.md

interface RowDocument {
  readonly keyId: number
  readonly version: number
  readonly state: string
  readonly suite: number
  readonly rootKeyId: string
  readonly wrappedKek: string
  readonly checkValue: string
  readonly createdAt: number
  readonly activatedAt: number | null
  readonly suspendedAt: number | null
  readonly compromisedAt: number | null
  readonly destroyAt: number | null
  readonly stateAt: number
  readonly rewrappedFrom: readonly number[]
}

/** A keyring, its columns in the order in which they are written. */
export interface KeyringDocument {
  readonly keyring: string
  readonly activeKeyId: number
  readonly revision: number
  readonly indexes: KeyringHead['indexes']
  readonly digests: KeyringHead['digests']
  readonly macKey: { readonly rootKeyId: string; readonly wrapped: string }
  readonly mac: string
  readonly keys: readonly RowDocument[]
}

export function documentOf({ head, keys }: KeyringSnapshot): KeyringDocument {
  return {
    keyring: head.keyring,
    activeKeyId: head.activeKeyId,
    revision: head.revision,
    indexes: head.indexes,
    digests: head.digests,
    macKey: { rootKeyId: head.macKey.rootKeyId, wrapped: base64Of(head.macKey.wrapped) },
    mac: base64Of(head.mac),
    keys: keys.map(rowDocumentOf),
  }
}

/** A keyring's document as text, without white space. */
export function encodeKeyring(snapshot: KeyringSnapshot): string {
  return JSON.stringify(documentOf(snapshot))
}

/**
 * @param usesOf - the uses of a key, kept elsewhere.
 * @throws {KeyError} `ERR_STORE_TAMPERED` for anything that `encodeKeyring` would not write.
 */
export function decodeKeyring(
  keyring: string,
  text: string,
  usesOf: (keyId: number) => number,
): KeyringSnapshot {
  const snapshot = snapshotOf(keyring, parsed(text), usesOf)
  if (encodeKeyring(snapshot) === text) return snapshot
  throw tampered(keyring, 'Its head or a key is not in the form in which it is written.')
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null // the error quotes the text
  }
}

function rowDocumentOf(row: KeyRow): RowDocument {
  return {
    keyId: row.keyId,
    version: row.version,
    state: row.state,
    suite: row.suite,
    rootKeyId: row.rootKeyId,
    wrappedKek: base64Of(row.wrappedKek),
    checkValue: base64Of(row.checkValue),
    createdAt: row.createdAt.getTime(),
    activatedAt: row.activatedAt?.getTime() ?? null,
    suspendedAt: row.suspendedAt?.getTime() ?? null,
    compromisedAt: row.compromisedAt?.getTime() ?? null,
    destroyAt: row.destroyAt?.getTime() ?? null,
    stateAt: row.stateAt.getTime(),
    rewrappedFrom: row.rewrappedFrom,
  }
}

/**
 * Read a document that was parsed. Whoever calls compares it, written again, with what was there: so nothing
 * is left over, and each document has one form. What indexes and digests hold is for the keyring to check.
 *
 * @param usesOf - the uses of a key, kept elsewhere.
 * @throws {KeyError} `ERR_STORE_TAMPERED` naming the key or the head, and the column.
 */
export function snapshotOf(
  keyring: string,
  document: unknown,
  usesOf: (keyId: number) => number,
): KeyringSnapshot {
  const head = new Fields(keyring, 'Its head', document)
  if (head.text('keyring') !== keyring) throw head.wrong('keyring')
  const macKey = new Fields(keyring, 'Its head', head.value('macKey'))
  return {
    head: {
      keyring,
      activeKeyId: head.integer('activeKeyId'),
      revision: head.integer('revision'),
      indexes: head.list('indexes') as KeyringHead['indexes'],
      digests: head.list('digests') as KeyringHead['digests'],
      macKey: { rootKeyId: macKey.text('rootKeyId'), wrapped: macKey.bytes('wrapped') },
      mac: head.bytes('mac'),
    },
    keys: head.list('keys').map((row) => rowOf(keyring, row, usesOf)),
  }
}

function rowOf(keyring: string, document: unknown, usesOf: (keyId: number) => number): KeyRow {
  const keyId = new Fields(keyring, 'A key', document).integer('keyId')
  const row = new Fields(keyring, `Key ${keyId}`, document)
  const state = row.text('state')
  if (!isKeyState(state)) throw row.wrong('state')
  return {
    keyId,
    keyring,
    version: row.integer('version'),
    state,
    suite: row.integer('suite') as Suite,
    rootKeyId: row.text('rootKeyId'),
    wrappedKek: row.bytes('wrappedKek'),
    checkValue: row.bytes('checkValue'),
    createdAt: row.time('createdAt') ?? row.fail('createdAt'),
    activatedAt: row.time('activatedAt'),
    suspendedAt: row.time('suspendedAt'),
    compromisedAt: row.time('compromisedAt'),
    destroyAt: row.time('destroyAt'),
    stateAt: row.time('stateAt') ?? row.fail('stateAt'),
    rewrappedFrom: row.list('rewrappedFrom') as number[],
    uses: usesOf(keyId),
  }
}

/** The fields of a JSON object that somebody may have edited. */
class Fields {
  readonly #keyring: string
  readonly #where: string
  readonly #of: Readonly<Record<string, unknown>>

  constructor(keyring: string, where: string, given: unknown) {
    this.#keyring = keyring
    this.#where = where
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw tampered(keyring, `${where} is no object.`)
    }
    this.#of = given as Record<string, unknown>
  }

  value(name: string): unknown {
    return Object.hasOwn(this.#of, name) ? this.#of[name] : this.fail(name)
  }

  integer(name: string): number {
    const value = this.value(name)
    return Number.isSafeInteger(value) ? (value as number) : this.fail(name)
  }

  text(name: string): string {
    const value = this.value(name)
    return typeof value === 'string' ? value : this.fail(name)
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name)
    return Array.isArray(value) ? value : this.fail(name)
  }

  bytes(name: string): Uint8Array {
    const text = this.text(name)
    const bytes = Buffer.from(text, 'base64')
    return bytes.toString('base64') === text ? Uint8Array.from(bytes) : this.fail(name)
  }

  time(name: string): Date | null {
    if (this.value(name) === null) return null
    const at = new Date(this.integer(name))
    return Number.isNaN(at.getTime()) ? this.fail(name) : at
  }

  wrong(name: string): Error {
    return tampered(this.#keyring, `${this.#where} has something else than expected in ${name}.`)
  }

  fail(name: string): never {
    throw this.wrong(name)
  }
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
