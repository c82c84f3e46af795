import { openEnvelope, type Envelope } from '../envelope/index.ts'
import { EnvelopeError, KeyError, RowsealError } from '../errors.ts'
import type { FieldKeyring, Opened } from '../keys/index.ts'
import { boundIn } from './bound-values.ts'
import type { FieldPlan, ModelPlan } from './compile.ts'
import type { PlainObject } from './special.ts'
import { fromPlaintext } from './values.ts'

/** Which value it is, for messages. */
interface Place {
  readonly field: FieldPlan
  readonly row: PlainObject
  readonly model: ModelPlan
}

/** One sealed value of a result, and where its plaintext goes. */
export interface OpenSite extends Place {
  readonly target: Record<string | number, unknown>
  readonly key: string | number
  readonly envelope: Envelope
  /** Index of its key among those asked of the field's keyring. */
  readonly slot: number
}

/** Values opened in one go, 3 to 6 ms; between goes others have their turn. */
const CHUNK = 500

/** As many values as are opened in one go. */
export class Chunk {
  /** The wrapped DEKs to ask of each keyring, in the order of the slots. */
  readonly wanted = new Map<FieldKeyring, Envelope[]>()
  readonly sites: OpenSite[] = []

  get isFull(): boolean {
    return this.sites.length >= CHUNK
  }

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

function hasSameDek(a: Envelope, b: Envelope): boolean {
  return a.keyId === b.keyId && a.suite === b.suite && isSame(a.wrapped, b.wrapped)
}

/** Of sixty public bytes, which differ at the first as a rule: a native call costs more. */
function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
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
    'holds a value that does not open: it was altered, or moved here from another field or record, or the field was renamed.',
    'After renaming a field or its model give the former name: @encrypted(id: "Model.field"). Otherwise restore the value from a backup, or overwrite it. `npx rowseal verify` finds all such values.',
  ],
}

/** The error of one value, with field and record named in it. Never the value. */
export function located(error: unknown, { field, model, row }: Place): unknown {
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
