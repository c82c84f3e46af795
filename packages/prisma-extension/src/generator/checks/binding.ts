import type { DMMF } from '@prisma/generator-helper'
import { nearest } from '../../schema/resemble.ts'
import { idFunction } from '../bound.ts'
import { bindable } from './bindable.ts'
import type { FieldContext, Finding } from './field.ts'

/** One byte counts them in the additional data. */
const MAX_BOUND = 255

/** A column that the annotation of a field names. */
interface Column extends FieldContext {
  readonly column: DMMF.Field
}

/** Can values of a field be bound to the columns that its annotation names? */
export function checkBinding(context: FieldContext): Finding[] {
  const { bind } = context.annotation
  if (bind.length > MAX_BOUND) {
    return [wrong(`bind names more than ${MAX_BOUND} columns.`, 'Name fewer.')]
  }
  return bind.flatMap((name) => {
    const column = context.model.fields.find((field) => field.name === name)
    return column === undefined
      ? [unknownField(context, name)]
      : checkColumn({ ...context, column })
  })
}

function unknownField({ model }: FieldContext, name: string): Finding {
  const names = model.fields.map((field) => field.name)
  const meant = nearest(name, names)
  const hint = meant === null ? '' : ` Did you mean ${meant}?`
  return wrong(`bind: ${model.name} has no field ${name}.${hint}`, 'Name fields of the same model.')
}

/** What comes after a finding that rules the column out would only be noise. */
function checkColumn(column: Column): Finding[] {
  const checks = [checkAnnotations, checkKind, checkType, checkEnum, checkDefault]
  for (const check of checks) {
    const finding = check(column)
    if (finding !== null) return [finding]
  }
  return checkForeignKey(column)
}

function checkKind({ model, column }: Column): Finding | null {
  const { name } = column
  if (column.kind === 'object') {
    const keys = column.relationFromFields ?? []
    return wrong(
      `bind: ${name} is a relation, which has no column of its own.`,
      keys.length > 0 ? `Write ${keys.join(', ')} instead.` : `Name columns of ${model.name}.`,
    )
  }
  if (column.isList) {
    return wrong(`bind: ${name} is a list.`, 'Name a field with one value.')
  }
  if (!column.isRequired) {
    return wrong(
      `bind: ${name} is optional, and there is nothing to bind a value to where it is NULL.`,
      `Declare ${name} as ${column.type}, without the question mark, or take it out of bind.`,
    )
  }
  return null
}

function checkAnnotations({ annotations, field, column: { name } }: Column): Finding | null {
  if (name === field.name) {
    return wrong(`bind: ${name} cannot be bound to itself.`, 'Name another field of the model.')
  }
  const own = annotations.find(({ place }) => place.field === name)?.annotation.kind
  if (own === undefined) return null
  return own === 'encrypted'
    ? wrong(
        `bind: ${name} is encrypted itself, and looks different each time it is written.`,
        TAKE_OUT,
      )
    : wrong(`bind: ${name} is a blind index, which changes when its key rotates.`, TAKE_OUT)
}

function checkType({ provider, column }: Column): Finding | null {
  const { name, type, nativeType } = column
  if (column.isUpdatedAt === true) {
    return wrong(`bind: ${name} is @updatedAt, which moves with every update.`, TAKE_OUT)
  }
  if (bindable(provider, column) !== null) return null
  if (nativeType != null && bindable(provider, { ...column, nativeType: null }) !== null) {
    return wrong(
      `bind: ${name} is @db.${nativeType[0]}, which may not give back what was written.`,
      `Write another native type, such as @db.${ROOMY[type] ?? type}, or take ${name} out of bind.`,
    )
  }
  return wrong(
    `bind: ${name} is ${type}, whose values have more than one spelling.`,
    `Bind String, Int, BigInt, Boolean or an enum, or take ${name} out of bind.`,
  )
}

const ROOMY: Readonly<Record<string, string>> = { String: 'VarChar(191)', Int: 'Integer' }

function checkEnum({ datamodel, column }: Column): Finding | null {
  const values = datamodel.enums.find(({ name }) => name === column.type)?.values ?? []
  const mapped = values.find(({ name, dbName }) => dbName !== null && dbName !== name)
  if (column.kind !== 'enum' || mapped === undefined) return null
  return wrong(
    `bind: ${column.name} is ${column.type}, whose value ${mapped.name} has another name in the database (@map).`,
    `Remove @map from the values of ${column.type}, or take ${column.name} out of bind.`,
  )
}

function checkDefault({ column }: Column): Finding | null {
  const { name, default: value } = column
  if (typeof value !== 'object' || !('name' in value) || idFunction(column) !== null) return null
  return wrong(
    `bind: ${name} has @default(${value.name}()), which is filled in after sealing.`,
    'Use @default(uuid()), cuid(), ulid() or nanoid(), which Rowseal generates, or a literal.',
  )
}

/** A key that changes with the row it refers to would leave behind values that do not open. */
function checkForeignKey(context: Column): Finding[] {
  const { model, column } = context
  const relations = model.fields.filter((field) => field.relationFromFields?.includes(column.name))
  if (relations.length > 0 && idFunction(column) !== null) {
    const what = `bind: ${column.name} is a foreign key, and has an id as its @default.`
    return [wrong(what, 'Remove @default.')]
  }
  return relations.flatMap((relation) =>
    [
      checkUpdate(context, relation),
      checkDelete(context, relation),
      checkReferred(context, relation),
    ].filter((finding) => finding !== null),
  )
}

function checkUpdate({ model, column }: Column, relation: DMMF.Field): Finding | null {
  const { relationOnUpdate: action } = relation
  if (action === 'Restrict' || action === 'NoAction') return null
  return wrong(
    `bind: ${column.name} is a foreign key that follows the row it refers to${action === undefined ? ', by default' : ''}: a change there would leave values here that do not open.`,
    `Write onUpdate: Restrict (or NoAction) in the @relation of ${model.name}.${relation.name}.`,
  )
}

function checkDelete({ model, column }: Column, relation: DMMF.Field): Finding | null {
  const { relationOnDelete: action, isRequired } = relation
  const isKept = action === undefined ? isRequired : action !== 'SetNull' && action !== 'SetDefault'
  if (isKept) return null
  return wrong(
    `bind: ${column.name} is a foreign key that the database changes when the row it refers to is deleted.`,
    `Write onDelete: Restrict, NoAction or Cascade in the @relation of ${model.name}.${relation.name}.`,
  )
}

/** Where a row refers by one spelling to another, the value that a query connects to is not the one it gets. */
function checkReferred(
  { datamodel, column, provider }: Column,
  { type, relationFromFields = [], relationToFields = [] }: DMMF.Field,
): Finding | null {
  const name = relationToFields[relationFromFields.indexOf(column.name)]
  const target = datamodel.models.find((model) => model.name === type)
  const referred = target?.fields.find((field) => field.name === name)
  if (referred === undefined || bindable(provider, referred) !== null) return null
  return wrong(
    `bind: ${column.name} refers to ${type}.${referred.name}, whose column may not give back what was written.`,
    `Give both a native type such as @db.${ROOMY[column.type] ?? column.type}.`,
  )
}

const TAKE_OUT = 'Take it out of bind.'

function wrong(what: string, fix: string): Finding {
  return { code: 'ERR_ANNOTATION_INVALID', what, fix }
}
