import type { DMMF } from '@prisma/generator-helper'
import { digestOf } from '../plan/digest.ts'
import type { BlindIndex, ModelSource, PlanSource, Provider, SealedField } from '../plan/plan.ts'
import { PLAN_FORMAT } from '../plan/plan.ts'
import type { PlacedAnnotation, Problem, ScannedFile } from '../schema/index.ts'
import { findAnnotations } from '../schema/index.ts'
import { boundColumns, boundKeys, type Binds } from './bound.ts'
import { checkAgreement } from './checks/agreement.ts'
import { checkBlindIndex } from './checks/blind-index.ts'
import { checkField } from './checks/field.ts'
import { blindIndex, modelSource, sealedField } from './model-source.ts'
import { constraintsOver, uniquesOf } from './uniques.ts'

export interface PlanInput {
  readonly datamodel: DMMF.Datamodel
  /** The schema text as Prisma passes it to generators and compiles it into the client. */
  readonly schemaText: string
  /** The files it was made of, for annotations and line numbers. */
  readonly files: readonly ScannedFile[]
  readonly provider: Provider
}

export interface BuiltPlan {
  /** The plan; meaningless unless `problems` is empty. */
  readonly source: PlanSource
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

interface CheckedField {
  readonly place: PlacedAnnotation['place']
  /** Both null if the annotation cannot be honoured at all. */
  readonly sealed: SealedField | null
  readonly index: BlindIndex | null
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

/** Bring together the models as Prisma sees them and the annotations in the text. */
export function buildPlan(input: PlanInput): BuiltPlan {
  const { datamodel, files, provider } = input
  const found = findAnnotations(files)
  const fields = found.annotations.map((placed) =>
    checkAnnotation(input, placed, found.annotations),
  )
  const binds = bindsOf(fields)
  const problems = [...found.problems, ...fields.flatMap((field) => field.problems)]
  return {
    source: {
      format: PLAN_FORMAT,
      digest: digestOf(input.schemaText),
      provider,
      models: Object.fromEntries(
        datamodel.models.map((model) => [model.name, withAnnotated(input, model, fields, binds)]),
      ),
    },
    // A misread annotation is a difference as well, and is reported already.
    problems: [
      ...problems,
      ...sharedIds(fields),
      ...(problems.length === 0 ? checkAgreement(datamodel, files) : []),
    ],
    warnings: fields.flatMap((field) => field.warnings),
  }
}

function withAnnotated(
  { datamodel, provider }: PlanInput,
  model: DMMF.Model,
  fields: readonly CheckedField[],
  binds: Binds,
): ModelSource {
  const own = fields.filter(({ place }) => place.model === model.name)
  const entries = <T>(of: (field: CheckedField) => T | null): [string, T][] =>
    own.flatMap((field): [string, T][] => {
      const entry = of(field)
      return entry === null ? [] : [[field.place.field, entry]]
    })
  const sealed = entries((field) => field.sealed)
  const indexes = entries((field) => field.index)
  const columns = [...sealed, ...indexes].map(([name]) => name)
  const names = sealed.map(([name]) => name)
  return {
    ...modelSource(datamodel, model, names, (relation) =>
      boundKeys(datamodel, model, relation, binds),
    ),
    sealed: Object.fromEntries(sealed),
    indexes: Object.fromEntries(indexes),
    constraints: constraintsOver(datamodel, model, columns, provider),
    bound: boundColumns(datamodel, model, binds, provider),
  }
}

function bindsOf(fields: readonly CheckedField[]): Binds {
  const binds = new Map<string, Set<string>>()
  for (const { place, sealed } of fields) {
    if (sealed === null) continue
    const names = binds.get(place.model)
    if (names === undefined) binds.set(place.model, new Set(sealed.bind))
    else for (const name of sealed.bind) names.add(name)
  }
  return binds
}

function checkAnnotation(
  { datamodel, provider, files }: PlanInput,
  { place, annotation }: PlacedAnnotation,
  all: readonly PlacedAnnotation[],
): CheckedField {
  const refuse = (what: string, fix: string): CheckedField => {
    const problem: Problem = { code: 'ERR_ANNOTATION_INVALID', place, what, fix }
    return { place, sealed: null, index: null, problems: [problem], warnings: [] }
  }
  if (isView(files, place.model)) {
    return refuse(
      `${place.model} is a view: what it shows is encrypted in the tables below it.`,
      'Remove the annotation, and open values read from the view with prisma.$rowseal.open.',
    )
  }
  const model = datamodel.models.find(({ name }) => name === place.model)
  const field = model?.fields.find(({ name }) => name === place.field)
  if (model === undefined || field === undefined) {
    return refuse('Prisma Client does not have this field.', 'Remove the annotation.')
  }
  const annotations = all.filter((other) => other.place.model === place.model)
  const context = { datamodel, model, field, provider, place, annotations }
  if (annotation.kind === 'blindIndex') {
    const index = blindIndex(model, field, annotation, uniquesOf(datamodel, model))
    return { place, sealed: null, index, ...checkBlindIndex({ ...context, files, annotation }) }
  }
  const findings = checkField({ ...context, annotation })
  return { place, sealed: sealedField(model, field, annotation), index: null, ...findings }
}

/** Two fields with one id could swap their values unnoticed; two indexes with one show equal values. */
function sharedIds(fields: readonly CheckedField[]): Problem[] {
  return [
    ...shared(fields, ({ sealed }) => sealed?.id ?? null, {
      why: 'values moved between the two would not be noticed',
      option: '@encrypted(id: "Model.field")',
    }),
    ...shared(fields, ({ index }) => index?.id ?? null, {
      why: 'equal values would show across the two',
      option: 'id: "Model.column"',
    }),
  ]
}

function shared(
  fields: readonly CheckedField[],
  idOf: (field: CheckedField) => string | null,
  { why, option }: { why: string; option: string },
): Problem[] {
  const owners = new Map<string, string>()
  return fields.flatMap((field): Problem[] => {
    const id = idOf(field)
    if (id === null) return []
    const { place } = field
    const owner = owners.get(id)
    owners.set(id, owner ?? `${place.model}.${place.field}`)
    if (owner === undefined) return []
    return [
      {
        code: 'ERR_ANNOTATION_INVALID',
        place,
        what: `${owner} has the id "${id}" too: ${why}.`,
        fix: `Give one of them another id: ${option}.`,
      },
    ]
  })
}

function isView(files: readonly ScannedFile[], name: string): boolean {
  return files.some(({ blocks }) =>
    blocks.some((block) => block.kind === 'view' && block.name === name),
  )
}
