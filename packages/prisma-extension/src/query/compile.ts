import { SchemaError } from '../errors.ts'
import type { FieldKeyring } from '../keys/index.ts'
import type { Suite } from '../keys/types.ts'
import { valueAad } from '../envelope/index.ts'
import type {
  BlindIndex,
  ModelSource,
  Normalizer,
  Plan,
  Provider,
  SealedField,
} from '../plan/index.ts'
import { compoundsOf, type Compound } from './compounds.ts'

/** A sealed field, ready for use: its keyring found, its AAD built once unless columns are bound. */
export interface FieldPlan {
  /** `Model.field`, for messages. */
  readonly label: string
  readonly name: string
  readonly spec: SealedField
  readonly keyring: FieldKeyring
  /** Its blind indexes, in the order of the schema. */
  readonly indexes: readonly IndexPlan[]
  /** @param bound - of the record the value is in: one for each column that the field binds. */
  aad(suite: Suite, bound: readonly Uint8Array[]): Buffer
}

/** A blind index: one column, or two that a unique one rotates between. */
export interface IndexPlan {
  /** `Model.column` of its first column, for messages. */
  readonly label: string
  /** Name of its record in the key store: the id of its first column. */
  readonly id: string
  readonly field: FieldPlan
  readonly normalize: readonly Normalizer[]
  readonly isUnique: boolean
  /** Unique by itself, not only together with other columns? */
  readonly isUniqueAlone: boolean
  /** By slot: the first is `columns[0]`. */
  readonly columns: readonly [IndexColumn, IndexColumn | null]
}

export interface IndexColumn {
  readonly name: string
  /** Name in the derivation of its subkey. */
  readonly id: string
}

/** A model with everything a walk asks for, compiled once. */
export interface ModelPlan {
  readonly name: string
  readonly source: ModelSource
  readonly provider: Provider
  /** Is an explicit `undefined` an error to Prisma (`strictUndefinedChecks`), and not the same as leaving out? */
  readonly isStrict: boolean
  readonly sealed: ReadonlyMap<string, FieldPlan>
  /** Columns of blind indexes, of either slot. */
  readonly indexes: ReadonlyMap<string, IndexPlan>
  /** Keys of a compound unique in a `where`, with an encrypted field among its fields. */
  readonly compounds: ReadonlyMap<string, Compound>
  /** Sealed fields with an `@default` that this extension writes. */
  readonly defaults: readonly FieldPlan[]
  /** Are there columns to which sealed values are bound, of this model or of one that refers to it? */
  readonly isBound: boolean
  readonly relations: ReadonlyMap<string, ModelPlan>
  /** The relations behind which a sealed field lies, however far. */
  readonly reaching: readonly (readonly [string, ModelPlan])[]
  /** Can an operation on this model touch a sealed field at all? */
  readonly reaches: boolean
}

/** Is this the name of a column or a relation? */
export function isFieldOf(model: ModelPlan, name: string): boolean {
  return Object.hasOwn(model.source.columns, name) || model.relations.has(name)
}

/** All models of a plan, by name. */
export type CompiledPlan = ReadonlyMap<string, ModelPlan>

interface Draft extends ModelPlan {
  readonly relations: Map<string, Draft>
  reaching: [string, Draft][]
  reaches: boolean
}

/**
 * Join a plan with its keyrings.
 *
 * @param keyrings - all of them, each under its own name or by the names that they have in the plan.
 * @param isStrict - is an explicit `undefined` an error to the client?
 * @throws {SchemaError} `ERR_ANNOTATION_INVALID` if a field names a keyring that is not among them.
 * @throws {TypeError} if two keyrings have one name.
 */
export function compile(
  plan: Plan,
  keyrings: readonly FieldKeyring[] | ReadonlyMap<string, FieldKeyring>,
  isStrict = false,
): CompiledPlan {
  const byName = keyrings instanceof Map ? keyrings : named(keyrings as readonly FieldKeyring[])
  const drafts = new Map<string, Draft>()
  for (const [name, source] of Object.entries(plan.models)) {
    drafts.set(name, draft(name, source, { provider: plan.provider, isStrict }, byName))
  }
  for (const model of drafts.values()) {
    for (const [field, relation] of Object.entries(model.source.relations)) {
      const target = drafts.get(relation.model)
      if (target !== undefined) model.relations.set(field, target)
    }
  }
  markReaching([...drafts.values()])
  return drafts
}

function named(keyrings: readonly FieldKeyring[]): ReadonlyMap<string, FieldKeyring> {
  const byName = new Map(keyrings.map((keyring) => [keyring.name, keyring]))
  if (byName.size < keyrings.length) throw new TypeError('Two keyrings have one name.')
  return byName
}

function draft(
  name: string,
  source: ModelSource,
  client: Pick<ModelPlan, 'provider' | 'isStrict'>,
  keyrings: ReadonlyMap<string, FieldKeyring>,
): Draft {
  const fields = Object.entries(source.sealed).map(([field, spec]) =>
    compileField(name, source, field, spec, keyrings),
  )
  const indexes = fields.flatMap((field) => field.indexes)
  return {
    name,
    source,
    ...client,
    sealed: new Map(fields.map((field) => [field.name, field])),
    indexes: new Map(
      indexes.flatMap((index) =>
        index.columns.flatMap((column) => (column === null ? [] : [[column.name, index] as const])),
      ),
    ),
    compounds: compoundsOf(source),
    defaults: fields.filter((field) => field.spec.default !== undefined),
    isBound: Object.keys(source.bound).length > 0,
    relations: new Map(),
    reaching: [],
    reaches: fields.length > 0,
  }
}

function compileField(
  model: string,
  source: ModelSource,
  name: string,
  spec: SealedField,
  keyrings: ReadonlyMap<string, FieldKeyring>,
): FieldPlan {
  const label = `${model}.${name}`
  const keyring = keyrings.get(spec.keyring)
  if (keyring === undefined) {
    throw new SchemaError(
      'ERR_ANNOTATION_INVALID',
      `${label} is sealed under keyring "${spec.keyring}".`,
      {
        field: label,
        fix: `Pass rowseal({ keyring: [...] }) a keyring opened with name: '${spec.keyring}'.`,
      },
    )
  }
  const aad = aadOf(label, spec)
  const indexes: IndexPlan[] = []
  const field: FieldPlan = { label, name, spec, keyring, indexes, aad }
  indexes.push(...indexesOf(model, source, field))
  return field
}

/** The AAD of a field's values, kept where it is the same for all of them. */
function aadOf(label: string, { id, bind }: SealedField): FieldPlan['aad'] {
  const kept = new Map<Suite, Buffer>()
  return (suite, bound) => {
    if (bound.length !== bind.length) throw new TypeError(`${label} binds ${bind.length} columns.`)
    if (bound.length > 0) return valueAad(suite, id, bound)
    let bytes = kept.get(suite)
    if (bytes === undefined) kept.set(suite, (bytes = valueAad(suite, id)))
    return bytes
  }
}

function indexesOf(model: string, source: ModelSource, field: FieldPlan): IndexPlan[] {
  const own = Object.entries(source.indexes).filter(([, index]) => index.field === field.name)
  const column = (name: string, { id }: BlindIndex): IndexColumn => ({ name, id })
  return own
    .filter(([, { slot }]) => slot === 1)
    .map(([name, index]) => {
      const second = own.find(([, { slot, normalize }]) => slot === 2 && isSame(normalize, index))
      return {
        label: `${model}.${name}`,
        id: index.id,
        field,
        normalize: index.normalize,
        isUnique: index.unique,
        isUniqueAlone: Object.values(source.constraints).some(
          (fields) => fields.length === 1 && fields[0] === name,
        ),
        columns: [column(name, index), second === undefined ? null : column(...second)],
      }
    })
}

function isSame(normalize: readonly Normalizer[], index: BlindIndex): boolean {
  return normalize.join() === index.normalize.join()
}

/** Carry "reaches a sealed field" backwards over the relations until nothing changes. */
function markReaching(models: readonly Draft[]): void {
  for (let changed = true; changed;) {
    changed = false
    for (const model of models) {
      if (model.reaches) continue
      model.reaches = [...model.relations.values()].some((target) => target.reaches)
      changed ||= model.reaches
    }
  }
  for (const model of models) {
    model.reaching = [...model.relations].filter(([, target]) => target.reaches)
  }
}
