import type { DMMF } from '@prisma/generator-helper'
import { digestOf } from '../plan/digest.ts'
import type { ModelSource, PlanSource, Provider, SealedField } from '../plan/plan.ts'
import { PLAN_FORMAT } from '../plan/plan.ts'
import type { PlacedAnnotation, Problem, ScannedFile, SchemaFile } from '../schema/index.ts'
import { findAnnotations, scanSchema } from '../schema/index.ts'
import { checkField } from './check-field.ts'
import { modelSource } from './model-source.ts'
import { sealedField } from './sealed-field.ts'

export interface PlanInput {
  readonly datamodel: DMMF.Datamodel
  /** The schema text as Prisma passes it to generators and compiles into the client. */
  readonly schemaText: string
  /** The files it was read from, for annotations and line numbers. */
  readonly files: readonly SchemaFile[]
  readonly provider: Provider
}

export interface BuiltPlan {
  /** The plan; meaningless unless `problems` is empty. */
  readonly source: PlanSource
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

/** Put the models Prisma sees and the annotations in the text together. */
export function buildPlan(input: PlanInput): BuiltPlan {
  const scanned = input.files.map(scanSchema)
  const { annotations, problems } = findAnnotations(scanned)
  const findings = annotations.map((placed) => checkPlaced(input, scanned, placed))
  const models = input.datamodel.models.map((model): [string, ModelSource] => {
    const sealed = findings.flatMap((found) => (found.model === model.name ? found.sealed : []))
    return [model.name, { ...modelSource(model), sealed: Object.fromEntries(sealed) }]
  })
  return {
    source: {
      format: PLAN_FORMAT,
      digest: digestOf(input.schemaText),
      provider: input.provider,
      models: Object.fromEntries(models),
    },
    problems: [...problems, ...findings.flatMap((found) => found.problems)],
    warnings: findings.flatMap((found) => found.warnings),
  }
}

interface Checked {
  readonly model: string
  readonly sealed: readonly [string, SealedField][]
  readonly problems: readonly Problem[]
  readonly warnings: readonly string[]
}

function checkPlaced(
  { datamodel, provider }: PlanInput,
  files: readonly ScannedFile[],
  { place, annotation }: PlacedAnnotation,
): Checked {
  const refuse = (what: string, fix: string): Checked => {
    const problem: Problem = { code: 'ERR_ANNOTATION_INVALID', place, what, fix }
    return { model: place.model, sealed: [], problems: [problem], warnings: [] }
  }
  const model = datamodel.models.find(({ name }) => name === place.model)
  const field = model?.fields.find(({ name }) => name === place.field)
  if (model === undefined || field === undefined) {
    return refuse('Prisma does not pass this field to generators.', 'Remove the annotation.')
  }
  if (annotation.kind === 'blindIndex') {
    return refuse(
      'Blind indexes are not supported by this version of Rowseal.',
      'Remove the annotation.',
    )
  }
  if (isView(files, place.model)) {
    return refuse(
      'A view cannot be written, so its fields cannot be re-encrypted.',
      'Remove the annotation, and open the values with prisma.$rowseal.open.',
    )
  }
  const findings = checkField({ datamodel, model, field, provider, place, annotation })
  return {
    model: model.name,
    sealed: [[field.name, sealedField(model, field, annotation)]],
    ...findings,
  }
}

function isView(files: readonly ScannedFile[], name: string): boolean {
  return files.some(({ blocks }) =>
    blocks.some((block) => block.kind === 'view' && block.name === name),
  )
}
