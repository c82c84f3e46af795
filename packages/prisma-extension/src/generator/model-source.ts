import type { DMMF } from '@prisma/generator-helper'
import type {
  BlindIndex,
  ColumnField,
  ModelSource,
  RelationField,
  SealedField,
  SealedType,
} from '../plan/plan.ts'
import type { BlindIndexAnnotation, EncryptedOptions } from '../schema/index.ts'
import { isNormalizer } from './checks/blind-index.ts'

/**
 * Everything the plan says about a model, but for what is annotated.
 *
 * @param sealed - names of its sealed fields, which identify no row.
 * @param boundKeys - the bound foreign keys that a relation sets.
 */
export function modelSource(
  { enums }: DMMF.Datamodel,
  model: DMMF.Model,
  sealed: readonly string[],
  boundKeys: (relation: DMMF.Field) => Pick<RelationField, 'boundHere' | 'boundThere'>,
): Omit<ModelSource, 'sealed' | 'indexes' | 'constraints' | 'bound'> {
  const key = keyOf(model, sealed)
  const columns: Record<string, ColumnField> = {}
  const relations: Record<string, RelationField> = {}
  for (const field of model.fields) {
    if (field.kind === 'object') {
      relations[field.name] = { model: field.type, list: field.isList, ...boundKeys(field) }
    } else {
      const values = key.includes(field.name) ? renamedValues(enums, field) : []
      columns[field.name] = {
        type: field.type,
        column: field.dbName ?? field.name,
        ...(values.length === 0 ? {} : { values: Object.fromEntries(values) }),
      }
    }
  }
  const place = {
    table: model.dbName ?? model.name,
    ...(model.schema ? { schema: model.schema } : {}),
  }
  return { ...place, key, columns, relations, uniques: uniquesOf(model) }
}

/** The values of an enum that have `@map`, each with its name in the database. */
function renamedValues(
  enums: DMMF.Datamodel['enums'],
  { kind, type }: DMMF.Field,
): [name: string, stored: string][] {
  if (kind !== 'enum') return []
  const values = enums.find(({ name }) => name === type)?.values ?? []
  return values.flatMap(({ name, dbName }) => (dbName == null ? [] : [[name, dbName]]))
}

/** Fields of `@id` or `@@id`, else of the first unique over required plain fields; empty if there is none. */
function keyOf(model: DMMF.Model, sealed: readonly string[]): readonly string[] {
  if (model.primaryKey !== null) return model.primaryKey.fields
  const id = model.fields.find(({ isId }) => isId)
  if (id !== undefined) return [id.name]
  const singles = model.fields.filter(({ isUnique }) => isUnique).map(({ name }) => [name])
  const required = new Set(
    model.fields
      .filter(({ name, isRequired }) => isRequired && !sealed.includes(name))
      .map(({ name }) => name),
  )
  const uniques = [...singles, ...model.uniqueFields]
  return uniques.find((fields) => fields.every((name) => required.has(name))) ?? []
}

/**
 * Compound uniques by the key they have in a `where`: their name if they have one, else `a_b`. A unique of
 * one field has that field's name there, whatever its `name:`.
 */
function uniquesOf(model: DMMF.Model): Record<string, readonly string[]> {
  const indexes = [...(model.primaryKey === null ? [] : [model.primaryKey]), ...model.uniqueIndexes]
  return Object.fromEntries(
    indexes
      .filter(({ fields }) => fields.length > 1)
      .map(({ name, fields }) => [(name as string | null) ?? fields.join('_'), fields]),
  )
}

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

/** The plan's entry of a blind index that passed every check. */
export function blindIndex(
  model: DMMF.Model,
  field: DMMF.Field,
  { field: source, normalize, slot, id }: BlindIndexAnnotation,
  uniques: readonly (readonly string[])[],
): BlindIndex {
  return {
    field: source,
    id: id ?? `${model.name}.${field.name}`,
    normalize: normalize.filter(isNormalizer),
    slot,
    unique: uniques.some((fields) => fields.includes(field.name)),
  }
}

function defaultLiteral({ default: value }: DMMF.Field): string | readonly string[] | undefined {
  if (typeof value === 'string') return value
  return Array.isArray(value) ? value.map(String) : undefined
}
