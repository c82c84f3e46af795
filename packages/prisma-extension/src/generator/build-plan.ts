import type { DMMF } from '@prisma/generator-helper'
import { digestOf } from '../plan/digest.ts'
import type { ModelSource, PlanSource, Provider, SealedField } from '../plan/plan.ts'
import { PLAN_FORMAT } from '../plan/plan.ts'
import type { PlacedAnnotation, Problem, ScannedFile } from '../schema/index.ts'
import { findAnnotations } from '../schema/index.ts'
import { checkAgreement } from './checks/agreement.ts'
import { checkField } from './checks/field.ts'
import { modelSource, sealedField } from './model-source.ts'

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
  /** Null if the annotation cannot be honoured at all. */
  readonly sealed: SealedField | null
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

/** Bring together the models as Prisma sees them and the annotations in the text. */
export function buildPlan(input: PlanInput): BuiltPlan {
  const { datamodel, files, provider } = input
  const found = findAnnotations(files)
  const fields = found.annotations.map((placed) => checkAnnotation(input, placed))
  const problems = [...found.problems, ...fields.flatMap((field) => field.problems)]
  return {
    source: {
      format: PLAN_FORMAT,
      digest: digestOf(input.schemaText),
      provider,
      models: Object.fromEntries(
        datamodel.models.map((model) => [model.name, withSealed(model, fields)]),
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

function withSealed(model: DMMF.Model, fields: readonly CheckedField[]): ModelSource {
  const sealed = fields.flatMap(({ place, sealed: field }): [string, SealedField][] =>
    place.model === model.name && field !== null ? [[place.field, field]] : [],
  )
  return { ...modelSource(model), sealed: Object.fromEntries(sealed) }
}

function checkAnnotation(
  { datamodel, provider, files }: PlanInput,
  { place, annotation }: PlacedAnnotation,
): CheckedField {
  const refuse = (what: string, fix: string): CheckedField => {
    const problem: Problem = { code: 'ERR_ANNOTATION_INVALID', place, what, fix }
    return { place, sealed: null, problems: [problem], warnings: [] }
  }
  if (annotation.kind === 'blindIndex') {
    return refuse(
      'This version of Rowseal does not support blind indexes.',
      'Remove it. Until then, rows cannot be looked up by the encrypted field.',
    )
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
  const findings = checkField({ datamodel, model, field, provider, place, annotation })
  return { place, sealed: sealedField(model, field, annotation), ...findings }
}

/** Two fields with one id could swap their values unnoticed. */
function sharedIds(fields: readonly CheckedField[]): Problem[] {
  const owners = new Map<string, string>()
  return fields.flatMap(({ place, sealed }): Problem[] => {
    if (sealed === null) return []
    const owner = owners.get(sealed.id)
    owners.set(sealed.id, owner ?? `${place.model}.${place.field}`)
    if (owner === undefined) return []
    return [
      {
        code: 'ERR_ANNOTATION_INVALID',
        place,
        what: `${owner} has the id "${sealed.id}" too: values moved between the two would not be noticed.`,
        fix: 'Give one of them another id: @encrypted(id: "Model.field").',
      },
    ]
  })
}

function isView(files: readonly ScannedFile[], name: string): boolean {
  return files.some(({ blocks }) =>
    blocks.some((block) => block.kind === 'view' && block.name === name),
  )
}
