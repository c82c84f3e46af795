import type { DMMF } from '@prisma/generator-helper'
import type { SchemaErrorCode } from '../errors.ts'
import type { Provider, SealedType } from '../plan/plan.ts'
import type { Encrypted, PlacedAnnotation, Problem } from '../schema/index.ts'
import { judgeColumn } from './native-types.ts'
import { valueCapacity } from './stored-size.ts'

/** A column in which less than this fits is taken for one that was sized for the plaintext. */
const LEAST_VALUE_BYTES = 64

const SEALED_TYPES: readonly string[] = ['String', 'Json', 'Bytes'] satisfies SealedType[]

export interface FieldContext {
  readonly datamodel: DMMF.Datamodel
  readonly model: DMMF.Model
  readonly field: DMMF.Field
  readonly provider: Provider
  readonly place: PlacedAnnotation['place']
  readonly annotation: Encrypted
}

/** What stands against sealing one field: `problems` end the generation, `warnings` are printed. */
export interface FieldFindings {
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

interface Finding {
  readonly what: string
  readonly fix: string
  readonly code?: SchemaErrorCode
}

/** Check one field that is annotated with `@encrypted`. */
export function checkField(context: FieldContext): FieldFindings {
  const ofType = checkType(context)
  const column = checkColumn(context)
  const findings: Finding[] =
    ofType.length > 0
      ? ofType
      : [
          ...checkKeys(context),
          ...checkIndexes(context),
          ...checkDefault(context),
          ...column.findings,
        ]
  if (context.annotation.bind.length > 0) findings.push(BIND)
  const problems = findings.map((finding) => ({
    code: finding.code ?? 'ERR_FIELD_UNSUPPORTED',
    place: context.place,
    what: finding.what,
    fix: finding.fix,
  }))
  return { problems, warnings: [...column.warnings, ...warnOfDefault(context)] }
}

const BIND: Finding = {
  code: 'ERR_ANNOTATION_INVALID',
  what: 'bind is not supported by this version of Rowseal.',
  fix: 'Remove bind. Without it a value moved to another record of the same field is not noticed.',
}

function checkType({ field }: FieldContext): Finding[] {
  if (field.kind === 'object') {
    return [
      {
        what: `${field.name} is a relation, which has no column of its own.`,
        fix: `Annotate fields of ${field.type} instead.`,
      },
    ]
  }
  if (SEALED_TYPES.includes(field.type)) return []
  return [
    {
      what: `${field.kind === 'enum' ? `The enum ${field.type}` : field.type} cannot be encrypted: its column holds no envelopes. String, Json and Bytes can be.`,
      fix: `Declare ${field.name} as String and convert in the application, or remove the annotation.`,
    },
  ]
}

function checkKeys({ datamodel, model, field }: FieldContext): Finding[] {
  const findings: Finding[] = []
  const other = 'Add a field with @default(uuid()) for that, and keep this one out of it.'
  if (field.isId) {
    findings.push({
      what: 'The field is the @id of its model, which must be readable by the database.',
      fix: other,
    })
  } else if (model.primaryKey?.fields.includes(field.name) === true) {
    findings.push({
      what: 'The field is part of @@id, which must be readable by the database.',
      fix: other,
    })
  }
  const relation = relationOf(datamodel, model, field)
  if (relation !== null) {
    findings.push({
      what: `The relation ${relation} joins on this field, but equal values have different envelopes.`,
      fix: 'Let the relation use a field that is not encrypted.',
    })
  }
  return findings
}

/** `Model.field` of a relation that has the field on either of its sides. */
function relationOf(
  datamodel: DMMF.Datamodel,
  model: DMMF.Model,
  field: DMMF.Field,
): string | null {
  for (const owner of datamodel.models) {
    for (const relation of owner.fields.filter(({ kind }) => kind === 'object')) {
      const isFrom = owner.name === model.name && relation.relationFromFields?.includes(field.name)
      const isTo = relation.type === model.name && relation.relationToFields?.includes(field.name)
      if (isFrom === true || isTo === true) return `${owner.name}.${relation.name}`
    }
  }
  return null
}

const INDEXES: Readonly<Record<DMMF.IndexType, { name: string; why: string } | null>> = {
  id: null, // said above
  unique: {
    name: '@@unique',
    why: 'two envelopes of one value differ, so the database would accept duplicates',
  },
  normal: {
    name: '@@index',
    why: 'it would order envelopes, find nothing, and refuse long values on PostgreSQL',
  },
  fulltext: { name: '@@fulltext', why: 'there are no words in an envelope' },
}

function checkIndexes({ datamodel, model, field }: FieldContext): Finding[] {
  return datamodel.indexes
    .filter(
      (index) => index.model === model.name && index.fields.some(({ name }) => name === field.name),
    )
    .flatMap((index) => {
      const rule = INDEXES[index.type]
      if (rule === null) return []
      const name = index.isDefinedOnField
        ? '@unique'
        : `${rule.name}([${index.fields.map((part) => part.name).join(', ')}])`
      return [
        {
          what: `${name} is on an encrypted field: ${rule.why}.`,
          fix: `Remove ${index.isDefinedOnField ? name : `${field.name} from ${name}`}.`,
        },
      ]
    })
}

function checkDefault({ field }: FieldContext): Finding[] {
  const { default: value } = field
  if (typeof value !== 'object' || !('name' in value)) return []
  return [
    {
      what: `@default(${value.name}()) is filled in by Prisma or the database after encryption, so it would be stored as plaintext.`,
      fix: 'Remove the @default and set the field when creating, or make the default a literal.',
    },
  ]
}

function warnOfDefault({ model, field, annotation }: FieldContext): string[] {
  const isLiteral =
    field.default !== undefined && !(typeof field.default === 'object' && 'name' in field.default)
  if (!isLiteral || annotation.seal === 'off') return []
  return [
    `${model.name}.${field.name}: Rowseal seals the @default, but the column keeps it in plaintext for rows inserted by raw SQL.`,
  ]
}

function checkColumn(context: FieldContext): { findings: Finding[]; warnings: string[] } {
  const { field, provider, annotation } = context
  if (!SEALED_TYPES.includes(field.type)) return { findings: [], warnings: [] }
  const native = field.nativeType ?? null
  const verdict = judgeColumn(provider, field.type as SealedType, native)
  if (verdict.kind === 'fits') return { findings: [], warnings: [] }
  const name = native === null ? 'A String without native type' : `@db.${nativeName(native)}`
  const fix = native === null ? `Add ${verdict.roomy}.` : `Use ${verdict.roomy}.`
  if (verdict.kind === 'refused') {
    return { findings: [{ what: `${name} ${verdict.reason}.`, fix }], warnings: [] }
  }
  const fits = valueCapacity(verdict.storage, verdict.capacity, annotation.pad)
  const held = native === null ? `is VARCHAR(${verdict.capacity}) on MySQL, which` : ''
  if (fits < LEAST_VALUE_BYTES) {
    const room = fits <= 0 ? 'no value fits' : `only ${fits} bytes of a value fit`
    return {
      findings: [
        {
          what: `${name} ${held} is too short: ${room} into it once encrypted.`.replace('  ', ' '),
          fix,
        },
      ],
      warnings: [],
    }
  }
  return {
    findings: [],
    warnings: [
      `${context.model.name}.${field.name}: @db.${native === null ? '' : nativeName(native)} holds values of up to ${fits} bytes once encrypted. ${verdict.roomy} has no such limit.`,
    ],
  }
}

function nativeName([name, args]: readonly [string, readonly string[]]): string {
  return args.length === 0 ? name : `${name}(${args.join(', ')})`
}
