import type { Provider } from '../../src/plan/index.ts'
import {
  indexColumn,
  indexColumns,
  isInUnique,
  modelsOf,
  type Field,
  type Model,
  type Relation,
} from './models.ts'

/** The schema with annotations and index columns. */
export function sealedSchema(provider: Provider): string {
  const models = modelsOf(provider).map((model) => modelText(model, provider))
  return ['enum Kind {\n  CAT\n  DOG\n  EEL\n}', ...models].join('\n')
}

/** The same text without annotations and without every line about an index column. */
export function plainSchema(provider: Provider): string {
  const lines = sealedSchema(provider).split('\n')
  return lines.filter((line) => !line.includes('///') && !/\w+Index2?\b/.test(line)).join('\n')
}

function modelText(model: Model, provider: Provider): string {
  const fields = model.fields.flatMap((field) => fieldLines(model, field, provider))
  const uniques = model.uniques.flatMap((names) => [
    `@@unique([${names.join(', ')}])`,
    ...overIndexes(model, names),
  ])
  const scans = model.fields.filter(({ index, isUnique }) => index !== undefined && !isUnique)
  const lines = [
    ...fields,
    ...model.relations.map(relationLine),
    ...(model.id.length > 1 ? [`@@id([${model.id.join(', ')}])`] : []),
    ...uniques,
    ...scans.map((field) => `@@index([${indexColumn(field)}])`),
  ]
  return `model ${model.name} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`
}

function fieldLines(model: Model, field: Field, provider: Provider): string[] {
  const attributes = [
    ...(model.id.length === 1 && model.id[0] === field.name ? ['@id'] : []),
    ...(field.isUnique ? ['@unique'] : []),
    ...(field.default === undefined ? [] : [`@default(${field.default})`]),
    ...(field.isUpdatedAt ? ['@updatedAt'] : []),
    ...(provider === 'mysql' && field.type === 'String' ? [`@db.${mysqlText(model, field)}`] : []),
  ]
  const type = `${field.type}${field.isList ? '[]' : field.isNullable ? '?' : ''}`
  return [
    ...(field.isSealed ? ['/// @encrypted'] : []),
    [field.name, type, ...attributes].join(' '),
    ...indexLines(field, provider),
  ]
}

/** Unique columns must be short enough for an index of the database, the others take any value. */
export function mysqlText(model: Model, field: Field): string {
  const isKey = isInUnique(model, field) || model.id.includes(field.name)
  return isKey ? 'VarChar(700)' : 'LongText'
}

function indexLines(field: Field, provider: Provider): string[] {
  const normalize = field.index === 'folded' ? ', normalize: [trim, lowercase]' : ''
  const native = provider === 'mysql' ? ' @db.VarChar(77)' : ''
  return indexColumns(field).flatMap((column, i) => [
    `/// @blindIndex(${field.name}${normalize}${i === 1 ? ', slot: 2' : ''})`,
    `${column} String?${field.isUnique ? ' @unique' : ''}${native}`,
  ])
}

/** The unique over index columns that stands for one over sealed fields. */
function overIndexes(model: Model, names: readonly string[]): string[] {
  const columns = names.map((name) => {
    const field = model.fields.find((field) => field.name === name)!
    return field.isSealed ? indexColumn(field) : name
  })
  return columns.join() === names.join() ? [] : [`@@unique([${columns.join(', ')}])`]
}

function relationLine(relation: Relation): string {
  const { name, model, isList, isOptional, fields, references, label } = relation
  const keys =
    fields === undefined
      ? []
      : [`fields: [${fields.join()}]`, `references: [${references!.join()}]`]
  const args = [...(label === undefined ? [] : [`"${label}"`]), ...keys]
  const attribute = args.length === 0 ? '' : ` @relation(${args.join(', ')})`
  return `${name} ${model}${isList ? '[]' : isOptional ? '?' : ''}${attribute}`
}
