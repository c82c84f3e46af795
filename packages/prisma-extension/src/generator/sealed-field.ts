import type { DMMF } from '@prisma/generator-helper'
import type { EncryptedOptions } from '../schema/index.ts'
import type { SealedField, SealedType } from '../plan/plan.ts'

/** The plan's entry of a field that passed every check. */
export function sealedField(
  model: DMMF.Model,
  field: DMMF.Field,
  options: EncryptedOptions,
): SealedField {
  const literal = defaultLiteral(field)
  return {
    type: field.type as SealedType,
    list: field.isList,
    nullable: !field.isRequired && !field.isList,
    id: options.id ?? `${model.name}.${field.name}`,
    keyring: options.keyring,
    plaintext: options.plaintext,
    seal: options.seal,
    pad: options.pad,
    bind: options.bind,
    ...(literal === undefined ? {} : { default: literal }),
  }
}

function defaultLiteral({ default: value }: DMMF.Field): string | readonly string[] | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.map(String) : undefined
}
