import { openEnvelope, parseBytes, parseText } from '../envelope/index.ts'
import { EnvelopeError } from '../errors.ts'
import type { PlanSource, SealedName } from '../plan/index.ts'
import {
  fromPlaintext,
  sealValue,
  toPlaintext,
  type CompiledPlan,
  type FieldPlan,
} from '../query/index.ts'

/**
 * Sealing and opening outside of queries, for raw SQL. Best before and after an interactive transaction: the
 * key store may have to be read, and waits for that transaction's connection.
 */
export interface RawAccess<S extends PlanSource = PlanSource> {
  /**
   * The stored form of a value of a sealed field (of one element, for a list).
   *
   * @returns text for String and Json fields, bytes for Bytes.
   * @throws {QueryError} `ERR_VALUE_INVALID`
   */
  seal(field: SealedName<S>, value: unknown): Promise<string | Uint8Array>
  /**
   * The value in a stored form, as raw SQL returned it. NULL stays null.
   *
   * @throws {EnvelopeError} `ERR_ENVELOPE_AUTH`, `ERR_ENVELOPE_MALFORMED`, `ERR_PLAINTEXT_REFUSED`
   */
  open(field: SealedName<S>, stored: string | Uint8Array | null): Promise<unknown>
}

export function rawAccess<S extends PlanSource>(plan: CompiledPlan): RawAccess<S> {
  return {
    seal: async (name, value) => {
      const field = find(plan, name)
      const plaintext = toPlaintext(field, value)
      const [dek] = await field.keyring.forProtect(1)
      if (dek === undefined) throw new TypeError('No DEK for one value.')
      return sealValue(field, dek, plaintext)
    },
    open: async (name, stored) => {
      const field = find(plan, name)
      if (stored === null) return null
      const envelope =
        typeof stored === 'string' ? parseText(stored, name) : parseBytes(stored, name)
      if (envelope === null) return plaintextOf(field, stored)
      const [key] = await field.keyring.forProcess([envelope])
      if (key === undefined) throw new TypeError('No key for one value.')
      return fromPlaintext(field, openEnvelope(envelope, key, field.aad(envelope.suite), name))
    },
  }
}

function plaintextOf(field: FieldPlan, stored: string | Uint8Array): unknown {
  if (field.spec.plaintext === 'allow' || field.spec.seal === 'off') return stored
  throw new EnvelopeError(
    'ERR_PLAINTEXT_REFUSED',
    `This value of ${field.label} was never sealed.`,
    {
      field: field.label,
      fix: 'Seal it with $rowseal.seal, or annotate the field with @encrypted(plaintext: allow).',
    },
  )
}

function find(plan: CompiledPlan, name: string): FieldPlan {
  const [model = '', field = ''] = name.split('.')
  const found = plan.get(model)?.sealed.get(field)
  if (found === undefined) throw new TypeError(`${name} is not a sealed field of the plan.`)
  return found
}
