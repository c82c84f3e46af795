import { openEnvelope, parseBytes, parseText, type Envelope } from '../envelope/index.ts'
import { EnvelopeError, KeyError, RowsealError } from '../errors.ts'
import type { FieldKeyring, Opened } from '../keys/index.ts'
import { boundIn } from './bound-values.ts'
import type { FieldPlan, ModelPlan } from './compile.ts'
import type { SealSite } from './sites.ts'
import type { StoredValue } from '../sql/index.ts'
import type { Hidden } from './selection.ts'
import { isPlainObject, type PlainObject } from './special.ts'
import { fromPlaintext } from './values.ts'

/** Which value it is, for messages. */
interface Place {
  readonly field: FieldPlan
  readonly row: PlainObject
  readonly model: ModelPlan
}

/** One sealed value of a result, and where its plaintext goes. */
interface OpenSite extends Place {
  readonly target: Record<string | number, unknown>
  readonly key: string | number
  readonly envelope: Envelope
  /** Index of its key among those asked of the field's keyring. */
  readonly slot: number
}

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

/** Values opened in one go, about 10 ms; between goes others have their turn. */
const CHUNK = 2000

/** As many values as are opened in one go. */
class Chunk {
  /** The wrapped DEKs to ask of each keyring, in the order of the slots. */
  readonly wanted = new Map<FieldKeyring, Envelope[]>()
  readonly sites: OpenSite[] = []

  /** Fields of one record come one after the other and share their DEK: ask for it once. */
  slot(keyring: FieldKeyring, envelope: Envelope): number {
    let wanted = this.wanted.get(keyring)
    if (wanted === undefined) this.wanted.set(keyring, (wanted = []))
    const last = wanted[wanted.length - 1]
    if (last === undefined || !hasSameDek(last, envelope)) wanted.push(envelope)
    return wanted.length - 1
  }

  /**
   * Put the plaintexts in place of the envelopes.
   *
   * @param keys - one for each of `wanted`, or why there is none.
   * @throws {EnvelopeError} `ERR_ENVELOPE_AUTH`, naming field and record
   * @throws {KeyError} what `keys` holds, naming field and record
   */
  open(keys: ReadonlyMap<FieldKeyring, readonly Opened[]>): void {
    for (const site of this.sites) {
      const { field, envelope } = site
      const key = keys.get(field.keyring)?.[site.slot]
      if (key === undefined) throw new TypeError('No key for a collected site.')
      if (key instanceof RowsealError) throw located(key, site)
      try {
        const aad = field.aad(envelope.suite, boundIn(site.model, field, site.row))
        const plaintext = openEnvelope(envelope, key, aad)
        site.target[site.key] = fromPlaintext(field, plaintext)
      } catch (error) {
        throw located(error, site)
      }
    }
  }
}

/** What one walk over a result found. Collect; for each chunk ask for the keys and open; hide. */
export class OpenSites {
  readonly stale: StaleRecord[] = []
  readonly chunks: Chunk[] = []
  readonly #hidden: (readonly [PlainObject, readonly string[]])[] = []
  readonly #sent: ReadonlyMap<string, SealSite> | null

  /**
   * @param sent - what this very operation sealed, by envelope: what comes back unchanged in its field
   * need not be opened.
   */
  constructor(sent: ReadonlyMap<string, SealSite> | null = null) {
    this.#sent = sent
  }

  /** Walk a result: a row, rows, or null. */
  collect(model: ModelPlan, value: unknown, hidden: Hidden | null): void {
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
    const last = this.chunks[this.chunks.length - 1]
    if (last !== undefined && last.sites.length < CHUNK) return last
    const next = new Chunk()
    this.chunks.push(next)
    return next
  }

  #row(model: ModelPlan, row: unknown, hidden: Hidden | null): void {
    if (!isPlainObject(row)) return
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
        this.collect(target, value, hidden?.relations.get(name) ?? null)
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

function hasSameDek(a: Envelope, b: Envelope): boolean {
  return a.keyId === b.keyId && a.suite === b.suite && Buffer.compare(a.wrapped, b.wrapped) === 0
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

const PROBLEMS: Readonly<Record<string, readonly [string, string]>> = {
  ERR_PLAINTEXT_REFUSED: [
    'holds a value that was never sealed.',
    'Write it again through the extension, or annotate the field with @encrypted(plaintext: allow) until all rows are sealed.',
  ],
  ERR_ENVELOPE_MALFORMED: [
    'holds a value that starts like an envelope and is broken.',
    'Restore it from a backup, or overwrite it. `npx rowseal verify` finds all such values.',
  ],
  ERR_ENVELOPE_AUTH: [
    'holds a value that does not open: it was altered, or moved here from another field or record.',
    'Restore it from a backup, or overwrite it. `npx rowseal verify` finds all such values.',
  ],
}

/** The error of one value, with field and record named in it. Never the value. */
function located(error: unknown, { field, model, row }: Place): unknown {
  const where = `${field.label}${recordOf(model, row)}`
  if (error instanceof KeyError) {
    const { code, message, fix, retryable } = error
    const problem = message.endsWith(` ${fix}`) ? message.slice(0, -fix.length - 1) : message
    return new KeyError(code, `${where}: ${problem}`, { field: field.label, fix, retryable })
  }
  if (!(error instanceof EnvelopeError)) return error
  const [problem, fix] = PROBLEMS[error.code] ?? [error.message, error.fix]
  return new EnvelopeError(error.code, `${where} ${problem}`, { field: field.label, fix })
}

/** ` (id 7)`, from the key fields that were selected. */
function recordOf(model: ModelPlan, row: PlainObject): string {
  const parts = model.source.key
    .filter((name) => Object.hasOwn(row, name))
    .map((name) => `${name} ${String(row[name])}`)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
