import type { DMMF } from '@prisma/generator-helper'
import type { SchemaErrorCode } from '../../errors.ts'
import type { Provider, SealedType } from '../../plan/plan.ts'
import type { Encrypted, PlacedAnnotation, Problem } from '../../schema/index.ts'
import { isCovered, uniquesOf } from '../uniques.ts'
import { checkBinding } from './binding.ts'
import { checkColumn } from './column.ts'

const SEALED_TYPES: readonly string[] = ['String', 'Json', 'Bytes'] satisfies SealedType[]

export interface FieldContext {
  readonly datamodel: DMMF.Datamodel
  readonly model: DMMF.Model
  readonly field: DMMF.Field
  readonly provider: Provider
  readonly place: PlacedAnnotation['place']
  readonly annotation: Encrypted
  /** All annotations of the model. */
  readonly annotations: readonly PlacedAnnotation[]
}

/** One reason against sealing a field. `what` and `fix` are whole sentences. */
export interface Finding {
  readonly what: string
  readonly fix: string
  readonly code?: SchemaErrorCode
}

/** What stands against sealing a field: `problems` end the generation, `warnings` are printed. */
export interface FieldFindings {
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

/** Check one field that is annotated with `@encrypted`. */
export function checkField(context: FieldContext): FieldFindings {
  const column = checkColumn(context)
  const findings = firstOf(
    () => checkType(context),
    () => checkId(context),
    () => checkRelations(context),
    () => [...checkIndexes(context), ...checkDefault(context), ...column.findings],
  )
  findings.push(...checkBinding(context))
  const problems = findings.map(({ what, fix, code = 'ERR_FIELD_UNSUPPORTED' }) => ({
    code,
    place: context.place,
    what,
    fix,
  }))
  return { problems, warnings: [...column.warnings, ...warnOfDefault(context)] }
}

/** What comes after a finding that rules the field out would only be noise. */
function firstOf(...checks: readonly (() => Finding[])[]): Finding[] {
  for (const check of checks) {
    const findings = check()
    if (findings.length > 0) return findings
  }
  return []
}

function checkType({ field }: FieldContext): Finding[] {
  if (field.kind === 'object') {
    const what = `${field.name} is a relation, which has no column of its own.`
    return [{ what, fix: `Annotate fields of ${field.type} instead.` }]
  }
  if (SEALED_TYPES.includes(field.type)) return []
  const type = field.kind === 'enum' ? `The enum ${field.type}` : field.type
  return [
    {
      what: `${type} cannot be encrypted, because its column cannot hold an envelope. String, Json and Bytes can.`,
      fix: `Declare ${field.name} as String and convert it in the application, or remove the annotation.`,
    },
  ]
}

function checkId({ model, field }: FieldContext): Finding[] {
  const isPart = model.primaryKey?.fields.includes(field.name) === true
  if (!field.isId && !isPart) return []
  const what = `The field is ${field.isId ? 'the @id' : 'part of the @@id'}: rows are found by it, which envelopes do not allow.`
  return [{ what, fix: 'Give the model another id, such as a String with @id @default(uuid()).' }]
}

function checkRelations({ datamodel, model, field }: FieldContext): Finding[] {
  const relations = datamodel.models.flatMap((owner) =>
    owner.fields
      .filter(
        (relation) =>
          (owner.name === model.name && relation.relationFromFields?.includes(field.name)) ||
          (relation.type === model.name && relation.relationToFields?.includes(field.name)),
      )
      .map((relation) => `${owner.name}.${relation.name}`),
  )
  return relations.map((relation) => ({
    what: `The relation ${relation} joins on this field, but two envelopes of the same value differ.`,
    fix: 'Let the relation use a field that is not encrypted.',
  }))
}

/** Why an index over envelopes is wrong; ids have a message of their own. */
const INDEXES: Readonly<Record<Exclude<DMMF.IndexType, 'id'>, { name: string; why: string }>> = {
  unique: {
    name: '@@unique',
    why: 'two envelopes of the same value differ, so duplicates would be let in',
  },
  normal: {
    name: '@@index',
    why: 'an index over envelopes finds nothing, and on PostgreSQL it refuses long ones',
  },
  fulltext: { name: '@@fulltext', why: 'there are no words in an envelope' },
}

function checkIndexes(context: FieldContext): Finding[] {
  const { datamodel, model, field } = context
  return datamodel.indexes.flatMap(({ model: owner, type, fields, isDefinedOnField }) => {
    const names = fields.map(({ name }) => name)
    if (owner !== model.name || type === 'id' || !names.includes(field.name)) return []
    if (type === 'unique' && isGuarded(context, names)) return []
    const index = isDefinedOnField ? '@unique' : `${INDEXES[type].name}([${names.join(', ')}])`
    const remove = names.length === 1 ? `Remove ${index}` : `Take ${field.name} out of ${index}`
    const add =
      type === 'unique' ? `, or add a blind index: ${uniqueIndexFor(names, field.name)}` : ''
    return [
      {
        what: `${index} cannot work on an encrypted field: ${INDEXES[type].why}.`,
        fix: `${remove}${add}.`,
      },
    ]
  })
}

/** Does a unique constraint over blind indexes stand for this one over encrypted fields? */
function isGuarded(
  { datamodel, model, annotations }: FieldContext,
  names: readonly string[],
): boolean {
  const choices = names.map((name) => {
    const isSealed = annotations.some(
      ({ place, annotation }) => place.field === name && annotation.kind === 'encrypted',
    )
    if (!isSealed) return [name]
    return annotations.flatMap(({ place, annotation }) =>
      annotation.kind === 'blindIndex' && annotation.slot === 1 && annotation.field === name
        ? [place.field]
        : [],
    )
  })
  return isCovered(uniquesOf(datamodel, model), choices)
}

function uniqueIndexFor(names: readonly string[], field: string): string {
  const column = `${field}Index`
  const lines = `/// @blindIndex(${field}) above ${column} String?`
  return names.length === 1
    ? `${lines} @unique`
    : `${lines}, and @@unique([${names.map((name) => (name === field ? column : name)).join(', ')}])`
}

function checkDefault({ field }: FieldContext): Finding[] {
  const { default: value } = field
  if (typeof value !== 'object' || !('name' in value)) return []
  return [
    {
      what: `@default(${value.name}()) is filled in after encryption, so it would be stored as plaintext.`,
      fix: 'Remove it and set the field when creating, or use a literal, which Rowseal seals.',
    },
  ]
}

function warnOfDefault({ model, field, annotation }: FieldContext): string[] {
  const { default: value } = field
  const isLiteral = typeof value === 'string' || Array.isArray(value)
  if (!isLiteral || annotation.seal === 'off') return []
  return [
    `${model.name}.${field.name}: Rowseal seals the @default, but the table has it in plaintext too, for rows inserted without Rowseal.`,
  ]
}
