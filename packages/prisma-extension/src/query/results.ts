import { parseBytes, parseText, type Envelope } from '../envelope/index.ts'
import { EnvelopeError } from '../errors.ts'
import { boundIn } from './bound-values.ts'
import type { FieldPlan, ModelPlan } from './compile.ts'
import { Chunk, located, type OpenSite } from './open-chunk.ts'
import type { SealSite } from './sites.ts'
import type { StoredValue } from '../sql/index.ts'
import type { Hidden } from './selection.ts'
import { isPlainObject, type PlainObject } from './special.ts'
import { fromPlaintext } from './values.ts'

/** A record met with stale values: what re-encryption needs to find and replace them. */
export interface StaleRecord {
  readonly model: ModelPlan
  /** Values of the key fields, as Prisma handed them out. */
  readonly key: readonly unknown[]
  readonly fields: readonly StaleField[]
}

export interface StaleField {
  readonly field: FieldPlan
  /** The column's value as it was read: the compare-and-swap is on this. */
  readonly stored: StoredValue
  /** What its AAD holds of the record. */
  readonly bound: readonly Buffer[]
}

/** What one walk over a result finds. Walk; for each chunk ask for the keys and open; hide. */
export class OpenSites {
  readonly stale: StaleRecord[] = []
  #chunks: Chunk[] = []
  readonly #hidden: (readonly [PlainObject, readonly string[]])[] = []
  readonly #sent: ReadonlyMap<string, SealSite> | null

  /**
   * @param sent - what this very operation sealed, by envelope: what comes back unchanged in its field
   * need not be opened.
   */
  constructor(sent: ReadonlyMap<string, SealSite> | null = null) {
    this.#sent = sent
  }

  /**
   * Walk a result: a row, rows, or null. Whenever enough was found to be opened in one go it is handed over, so
   * that others may have their turn before the walk goes on.
   */
  *walk(model: ModelPlan, value: unknown, hidden: Hidden | null): Generator<Chunk> {
    if (Array.isArray(value)) {
      for (const row of value) {
        this.#row(model, row, hidden)
        if (this.#chunks[0]?.isFull === true) yield* this.#taken()
      }
    } else this.#row(model, value, hidden)
    yield* this.#taken()
  }

  #taken(): Chunk[] {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }

  #collect(model: ModelPlan, value: unknown, hidden: Hidden | null): void {
    if (Array.isArray(value)) for (const row of value) this.#row(model, row, hidden)
    else this.#row(model, value, hidden)
  }

  /** Make the fields that were added invisible again. */
  hide(): void {
    for (const [row, fields] of this.#hidden) {
      for (const name of fields) {
        if (Object.hasOwn(row, name)) Object.defineProperty(row, name, { enumerable: false })
      }
    }
  }

  #chunk(): Chunk {
    return this.#chunks[this.#chunks.length - 1] ?? this.#next()
  }

  #next(): Chunk {
    const next = new Chunk()
    this.#chunks.push(next)
    return next
  }

  #row(model: ModelPlan, row: unknown, hidden: Hidden | null): void {
    if (!isPlainObject(row)) return
    // Not within a row, whose values share a key.
    if (this.#chunks[this.#chunks.length - 1]?.isFull === true) this.#next()
    let stale: StaleField[] | null = null
    for (const field of model.sealed.values()) {
      const stored = row[field.name]
      // A function is what objects inherit: a field may be called `constructor`.
      if (stored === undefined || stored === null || typeof stored === 'function') continue
      if (this.#field(model, row, field, stored)) {
        const bound = boundIn(model, field, row)
        ;(stale ??= []).push({ field, stored: stored as StoredValue, bound })
      }
    }
    if (stale !== null) this.#addStale(model, row, stale)
    for (const [name, target] of model.reaching) {
      const value = row[name]
      if (typeof value === 'object' && value !== null) {
        this.#collect(target, value, hidden?.relations.get(name) ?? null)
      }
    }
    if (hidden !== null && hidden.fields.length > 0) this.#hidden.push([row, hidden.fields])
  }

  /** Collect one field; true if what is stored there is stale. */
  #field(model: ModelPlan, row: PlainObject, field: FieldPlan, stored: unknown): boolean {
    if (!field.spec.list || !Array.isArray(stored)) {
      return this.#value(model, row, field, row, field.name, stored)
    }
    const opened = [...(stored as unknown[])]
    row[field.name] = opened
    let isStale = false
    for (let i = 0; i < stored.length; i++) {
      isStale = this.#value(model, row, field, opened as never, i, stored[i]) || isStale
    }
    return isStale
  }

  #value(
    model: ModelPlan,
    row: PlainObject,
    field: FieldPlan,
    target: OpenSite['target'],
    key: string | number,
    stored: unknown,
  ): boolean {
    const known = typeof stored === 'string' ? this.#sent?.get(stored) : undefined
    if (known?.field === field && isBoundTo(known, boundIn(model, field, row))) {
      target[key] = fromPlaintext(field, known.plaintext)
      return false
    }
    let envelope: Envelope | null
    try {
      envelope = parse(field, stored)
    } catch (error) {
      throw located(error, { field, model, row })
    }
    if (envelope === null) return false
    const chunk = this.#chunk()
    const slot = chunk.slot(field.keyring, envelope)
    chunk.sites.push({ target, key, field, envelope, slot, row, model })
    return field.keyring.isStale(envelope.keyId)
  }

  #addStale(model: ModelPlan, row: PlainObject, fields: StaleField[]): void {
    const key = model.source.key.map((name) => (Object.hasOwn(row, name) ? row[name] : undefined))
    if (key.length > 0 && !key.includes(undefined)) this.stale.push({ model, key, fields })
  }
}

/** Was a value sealed for the record that it comes back in? */
function isBoundTo({ bound }: SealSite, row: readonly Buffer[]): boolean {
  return bound.every((part, i) => row[i]?.equals(part) === true)
}

/** The envelope in a column; null for plaintext where the field allows it. */
function parse(field: FieldPlan, stored: unknown): Envelope | null {
  const envelope =
    typeof stored === 'string'
      ? parseText(stored)
      : field.spec.type === 'Bytes' && stored instanceof Uint8Array
        ? parseBytes(stored)
        : null
  if (envelope === null && field.spec.plaintext === 'refuse' && field.spec.seal === 'on') {
    throw new EnvelopeError('ERR_PLAINTEXT_REFUSED', '', { fix: '' })
  }
  return envelope
}
