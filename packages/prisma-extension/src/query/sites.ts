import type { FieldKeyring } from '../keys/index.ts'
import type { FieldPlan } from './compile.ts'

/** One value to seal: where its envelope goes, and which DEK it shares with the rest of its record. */
export interface SealSite {
  readonly target: Record<string | number, unknown>
  readonly key: string | number
  readonly field: FieldPlan
  readonly plaintext: Buffer
  /** What the AAD holds of the record. */
  readonly bound: readonly Buffer[]
  /** Index of the record's DEK among those of the field's keyring. */
  readonly slot: number
}

/** The DEKs of one record written: one for each keyring, numbered as the walk meets them. */
export class RecordSlots {
  #keyring: FieldKeyring | null = null
  #slot = 0
  #others: Map<FieldKeyring, number> | null = null

  /** The slot of this record's DEK in a keyring; `next` numbers a new one. */
  slot(keyring: FieldKeyring, next: (keyring: FieldKeyring) => number): number {
    if (this.#keyring === keyring) return this.#slot
    if (this.#keyring === null) {
      this.#keyring = keyring
      return (this.#slot = next(keyring))
    }
    this.#others ??= new Map()
    let slot = this.#others.get(keyring)
    if (slot === undefined) this.#others.set(keyring, (slot = next(keyring)))
    return slot
  }
}

/** A record that is written: its DEKs, and what its values are bound to. */
export interface WrittenRecord {
  readonly slots: RecordSlots
  /** @throws {QueryError} `ERR_RECORD_BINDING` if that is not known. */
  readonly boundTo: (field: FieldPlan) => readonly Buffer[]
}

/** What one walk over the arguments of an operation found to seal. */
export class SealSites {
  readonly sites: SealSite[] = []
  /** How many DEKs are needed of each keyring. */
  readonly deks = new Map<FieldKeyring, number>()

  readonly #next = (keyring: FieldKeyring): number => {
    const slot = this.deks.get(keyring) ?? 0
    this.deks.set(keyring, slot + 1)
    return slot
  }

  add(
    record: WrittenRecord,
    field: FieldPlan,
    target: SealSite['target'],
    key: string | number,
    plaintext: Buffer,
  ): void {
    const bound = record.boundTo(field)
    const slot = record.slots.slot(field.keyring, this.#next)
    this.sites.push({ target, key, field, plaintext, bound, slot })
  }
}
