import { KeyError } from '../../errors.ts'
import type { KeyringHead, KeyRow, KeyState, Suite } from '../types.ts'

/** What a raw query gives. */
export type Row = Readonly<Record<string, unknown>>

/** A head as parameters, in the order of the statements' columns. */
export function headValuesOf(head: KeyringHead, format: number): readonly unknown[] {
  return [
    head.activeKeyId,
    head.revision,
    format,
    JSON.stringify(head.indexes),
    JSON.stringify(head.digests),
    head.macKey.rootKeyId,
    Buffer.from(head.macKey.wrapped),
    Buffer.from(head.mac),
  ]
}

/** A key row as parameters, in the order of the statements' columns. */
export function valuesOf(key: KeyRow): readonly unknown[] {
  return [
    key.version,
    key.state,
    key.suite,
    key.rootKeyId,
    Buffer.from(key.wrappedKek),
    Buffer.from(key.checkValue),
    key.createdAt.getTime(),
    key.activatedAt?.getTime() ?? null,
    key.suspendedAt?.getTime() ?? null,
    key.compromisedAt?.getTime() ?? null,
    key.destroyAt?.getTime() ?? null,
    key.stateAt.getTime(),
    JSON.stringify(key.rewrappedFrom),
  ]
}

/** A head from its columns. What the JSON holds is checked by the keyring, which trusts no store. */
export function headOf(columns: Columns, keyring: string): KeyringHead {
  return {
    keyring,
    activeKeyId: columns.integer('active_key_id'),
    revision: columns.integer('revision'),
    indexes: columns.json('index_records') as KeyringHead['indexes'],
    digests: columns.json('digests') as KeyringHead['digests'],
    macKey: { rootKeyId: columns.text('mac_root_key_id'), wrapped: columns.bytes('mac_key') },
    mac: columns.bytes('mac'),
  }
}

/** A key row from its columns. State and suite are checked by the keyring. */
export function keyOf(columns: Columns, keyring: string): KeyRow {
  return {
    keyring,
    keyId: columns.integer('key_id'),
    version: columns.integer('version'),
    state: columns.text('state') as KeyState,
    suite: columns.integer('suite') as Suite,
    rootKeyId: columns.text('root_key_id'),
    wrappedKek: columns.bytes('wrapped_kek'),
    checkValue: columns.bytes('check_value'),
    createdAt: new Date(columns.integer('created_at_ms')),
    activatedAt: columns.date('activated_at_ms'),
    suspendedAt: columns.date('suspended_at_ms'),
    compromisedAt: columns.date('compromised_at_ms'),
    destroyAt: columns.date('destroy_at_ms'),
    stateAt: new Date(columns.integer('state_at_ms')),
    rewrappedFrom: columns.json('rewrapped_from') as number[],
    uses: columns.integer('uses'),
  }
}

/** The columns of a row. Integers come as number or bigint, depending on database and driver. */
export class Columns {
  readonly #row: Row
  readonly #store: string
  readonly #keyring: string | undefined

  constructor(row: Row, store: string, keyring?: string) {
    this.#row = row
    this.#store = store
    this.#keyring = keyring
  }

  integer(column: string): number {
    const value = this.#row[column]
    const number = typeof value === 'bigint' ? Number(value) : value
    return Number.isSafeInteger(number) ? (number as number) : this.#wrong(column)
  }

  text(column: string): string {
    const value = this.#row[column]
    return typeof value === 'string' ? value : this.#wrong(column)
  }

  bytes(column: string): Uint8Array {
    const value = this.#row[column]
    return value instanceof Uint8Array ? value : this.#wrong(column)
  }

  /** The value of a JSON text. What it holds is checked by the keyring. */
  json(column: string): unknown {
    try {
      return JSON.parse(this.text(column)) as unknown
    } catch {
      return this.#wrong(column)
    }
  }

  date(column: string): Date | null {
    return this.#row[column] == null ? null : new Date(this.integer(column))
  }

  #wrong(column: string): never {
    const where = this.#keyring === undefined ? '' : ` of keyring "${this.#keyring}"`
    throw new KeyError(
      'ERR_STORE_TAMPERED',
      `The ${this.#store} holds something else than expected in column ${column}${where}.`,
      { fix: 'Somebody edited it: restore the key store from a backup.' },
    )
  }
}
