import type { DMMF } from '@prisma/generator-helper'
import { NORMALIZERS, type Normalizer, type Provider } from '../../plan/plan.ts'
import type {
  BlindIndexAnnotation,
  PlacedAnnotation,
  Problem,
  ScannedFile,
} from '../../schema/index.ts'
import { nearest } from '../../schema/resemble.ts'
import { isCovered, uniquesOf } from '../uniques.ts'
import type { Finding } from './field.ts'
import { judgeColumn } from './native-types.ts'

/** "ri1." ‖ index key id, 8 hex digits ‖ "." ‖ HMAC-SHA-256 in hex. docs/spec/blind-index-v1.md */
const INDEX_VALUE_CHARS = 4 + 8 + 1 + 64

export interface IndexContext {
  readonly datamodel: DMMF.Datamodel
  readonly model: DMMF.Model
  readonly field: DMMF.Field
  readonly provider: Provider
  readonly place: PlacedAnnotation['place']
  readonly annotation: BlindIndexAnnotation
  readonly files: readonly ScannedFile[]
  /** All annotations of the model. */
  readonly annotations: readonly PlacedAnnotation[]
}

/** Check one column that is annotated with `@blindIndex`. */
export function checkBlindIndex(context: IndexContext): {
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
} {
  const findings = [
    ...checkSource(context),
    ...checkNormalizers(context),
    ...checkColumn(context),
    ...checkSlot(context),
    ...checkConstraints(context),
  ]
  const problems = findings.map(({ what, fix, code = 'ERR_ANNOTATION_INVALID' }) => ({
    code,
    place: context.place,
    what,
    fix,
  }))
  return { problems, warnings: problems.length === 0 ? warnOfScan(context) : [] }
}

function checkSource({ model, annotation, annotations }: IndexContext): Finding[] {
  const { field: name } = annotation
  const source = model.fields.find((field) => field.name === name)
  const isSealed = annotations.some(
    ({ place, annotation }) => place.field === name && annotation.kind === 'encrypted',
  )
  if (source === undefined) {
    const what = `${model.name} has no field ${name}.`
    return [{ what, fix: 'Name a field of the same model: @blindIndex(field).' }]
  }
  if (!isSealed) {
    const what = `${model.name}.${name} is not encrypted, so it needs no blind index.`
    return [{ what, fix: `Write /// @encrypted above ${name}, or remove @blindIndex.` }]
  }
  if (source.type === 'String' && !source.isList) return []
  const type = `${source.type}${source.isList ? '[]' : ''}`
  const what = `${model.name}.${name} is ${type}: blind indexes are for String, whose equality needs no interpretation.`
  return [{ what, fix: 'Keep what is looked up in a String field of its own.' }]
}

function checkNormalizers({ annotation }: IndexContext): Finding[] {
  return annotation.normalize
    .filter((name) => !NORMALIZERS.some((known) => known === name))
    .map((name) => {
      const meant = nearest(name, [...NORMALIZERS])
      return {
        what: `There is no normalizer ${name}.${meant === null ? '' : ` Did you mean ${meant}?`}`,
        fix: `Choose among ${NORMALIZERS.join(', ')}.`,
      }
    })
}

function checkColumn({ datamodel, model, field, provider, annotations }: IndexContext): Finding[] {
  const wrong = (what: string, fix: string): Finding[] => [
    { code: 'ERR_FIELD_UNSUPPORTED', what, fix },
  ]
  const fix = `Declare it as ${field.name} String?`
  if (field.type !== 'String' || field.isList || field.isRequired) {
    return wrong(
      'A blind index is a text, and NULL where its field is NULL or not yet indexed.',
      `${fix}.`,
    )
  }
  if (field.hasDefaultValue) {
    return wrong('A blind index has no default: Rowseal fills it in.', 'Remove @default.')
  }
  const isRelation = datamodel.models.some((owner) =>
    owner.fields.some(
      (relation) =>
        (owner.name === model.name && relation.relationFromFields?.includes(field.name)) ||
        (relation.type === model.name && relation.relationToFields?.includes(field.name)),
    ),
  )
  if (isRelation) {
    return wrong('A relation joins on this column.', 'Let the relation use another column.')
  }
  if (
    annotations.some(
      ({ place, annotation }) => place.field === field.name && annotation.kind === 'encrypted',
    )
  ) {
    return wrong('The column cannot be encrypted and be a blind index.', 'Remove one of the two.')
  }
  const verdict = judgeColumn(provider, 'String', field.nativeType ?? null)
  if (verdict.kind === 'fits') return []
  const isRoomy = verdict.kind === 'limited' && verdict.capacity >= INDEX_VALUE_CHARS
  return isRoomy
    ? []
    : wrong(
        `The column must hold texts of ${INDEX_VALUE_CHARS} characters as they are.`,
        provider === 'sqlite' ? `${fix}.` : `${fix} @db.VarChar(${INDEX_VALUE_CHARS}).`,
      )
}

/** Slots of one index have its field and its normalizers. */
function checkSlot(context: IndexContext): Finding[] {
  const { model, field, datamodel, annotation, annotations } = context
  const same = annotations.flatMap(({ place, annotation: other }) =>
    other.kind === 'blindIndex' &&
    other.field === annotation.field &&
    other.normalize.join() === annotation.normalize.join()
      ? [{ column: place.field, slot: other.slot }]
      : [],
  )
  const twin = same.find(({ column, slot }) => column !== field.name && slot === annotation.slot)
  if (twin !== undefined) {
    const what = `${model.name}.${twin.column} is the same index: same field, normalizers and slot.`
    return [{ what, fix: 'Remove one of the two, or write slot: 2 on the column it rotates to.' }]
  }
  if (annotation.slot === 1) return []
  const first = same.find(({ slot }) => slot === 1)?.column
  if (first === undefined) {
    const what = 'This is the second column of an index that has no first one.'
    const options =
      annotation.normalize.length > 0 ? `, normalize: [${annotation.normalize.join(', ')}]` : ''
    return [{ what, fix: `Write @blindIndex(${annotation.field}${options}) on another column.` }]
  }
  const uniques = uniquesOf(datamodel, model)
  const guarded = uniques.filter((fields) => fields.includes(first))
  if (guarded.length === 0) {
    const what = `A second column is for unique indexes, and ${first} is not unique: it rotates in one column.`
    return [{ what, fix: 'Remove this column.' }]
  }
  const missing = guarded.find(
    (fields) =>
      !isCovered(
        uniques,
        fields.map((name) => (name === first ? [field.name] : [name])),
      ),
  )
  if (missing === undefined) return []
  const wanted = missing.map((name) => (name === first ? field.name : name))
  return [
    {
      what: `${first} is unique${missing.length > 1 ? ` in [${missing.join(', ')}]` : ''}, and its second column is not: duplicates would be let in after a rotation.`,
      fix:
        wanted.length === 1
          ? `Write @unique behind ${field.name}.`
          : `Add @@unique([${wanted.join(', ')}]).`,
    },
  ]
}

/** A constraint over part of the rows or of the value is not the one that the field would have. */
function checkConstraints({ datamodel, model, field, files }: IndexContext): Finding[] {
  const isCut = datamodel.indexes.some(
    (index) =>
      index.model === model.name &&
      index.type === 'unique' &&
      index.fields.some(({ name, length }) => name === field.name && length !== undefined),
  )
  const members = files.flatMap(({ blocks }) =>
    blocks.filter((block) => block.name === model.name).flatMap((block) => block.members),
  )
  // Prisma's description of the schema for generators does not say which rows a constraint is for.
  const isPartial = members.some(
    ({ name, code }) =>
      (name === field.name || name.startsWith('@@unique')) &&
      /unique\s*\(.*\bwhere\s*:/s.test(code) &&
      new RegExp(`\\b${field.name}\\b`).test(code),
  )
  return [
    ...(isCut
      ? [
          {
            what: `A unique over the first characters of ${field.name} takes different values for equal: all begin alike.`,
            fix: 'Remove length from the unique.',
          },
        ]
      : []),
    ...(isPartial
      ? [
          {
            what: `A unique with "where" guards some rows only, so ${field.name} would not name one row.`,
            fix: 'Remove "where" from the unique, or use @@index instead.',
          },
        ]
      : []),
  ]
}

/** Look-ups go by this column. */
function warnOfScan({ datamodel, model, field }: IndexContext): string[] {
  const isServed = datamodel.indexes.some(
    (index) => index.model === model.name && index.fields.some(({ name }) => name === field.name),
  )
  if (isServed) return []
  return [
    `${model.name}.${field.name}: no index of the database serves look-ups by it. Add @@index([${field.name}]), or @unique.`,
  ]
}

export function isNormalizer(name: string): name is Normalizer {
  return NORMALIZERS.some((known) => known === name)
}
