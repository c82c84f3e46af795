import { NORMALIZERS } from './plan.ts'

type Check = (value: unknown) => boolean

const isString: Check = (value) => typeof value === 'string' && value !== ''
const isBoolean: Check = (value) => typeof value === 'boolean'
const isStrings: Check = (value) => Array.isArray(value) && value.every((item) => isString(item))
const isOneOf =
  (...allowed: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && allowed.includes(value)
const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isDefault: Check = (value) =>
  typeof value === 'string' ||
  (Array.isArray(value) && value.every((item) => typeof item === 'string'))

type Shape = Readonly<Record<string, Check>>

const COLUMN: Shape = { type: isString, column: isString }
const RELATION: Shape = { model: isString, list: isBoolean }
const SEALED: Shape = {
  type: isOneOf('String', 'Json', 'Bytes'),
  list: isBoolean,
  nullable: isBoolean,
  id: isString,
  keyring: isString,
  plaintext: isOneOf('refuse', 'allow'),
  seal: isOneOf('on', 'off'),
  pad: isCount,
  bind: isStrings,
  default: isOptional(isDefault),
}
const INDEX: Shape = {
  field: isString,
  id: isString,
  normalize: (value) => Array.isArray(value) && value.every(isOneOf(...NORMALIZERS)),
  slot: (value) => value === 1 || value === 2,
  unique: isBoolean,
}
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isRecordOf =
  (shape: Shape): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every((entry) => flawOf(entry, shape) === null)
const isRecordOfStrings: Check = (value) =>
  isRecord(value) && Object.values(value).every((fields) => isStrings(fields))
const MODEL: Shape = {
  table: isString,
  schema: isOptional(isString),
  key: isStrings,
  columns: isRecordOf(COLUMN),
  relations: isRecordOf(RELATION),
  uniques: isRecordOfStrings,
  sealed: isRecordOf(SEALED),
  indexes: isRecordOf(INDEX),
  constraints: isRecordOfStrings,
}
const PLAN: Shape = {
  format: isCount,
  digest: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value),
  provider: isOneOf('postgresql', 'mysql', 'sqlite'),
  models: isRecord,
}

/** What is wrong with the shape of a plan, as a clause for a message; `null` if nothing is. */
export function findFlaw(plan: unknown): string | null {
  const flaw = flawOf(plan, PLAN)
  if (flaw !== null) return flaw
  const { models } = plan as { models: Record<string, unknown> }
  for (const [name, model] of Object.entries(models)) {
    const inModel = flawOf(model, MODEL) ?? danglingName(model as ModelShape, models)
    if (inModel !== null) return `${name}: ${inModel}`
  }
  return null
}

function flawOf(value: unknown, shape: Shape): string | null {
  if (!isRecord(value)) return 'not an object'
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(shape, key))
  if (unknown !== undefined) return `unknown property "${unknown}"`
  const wrong = Object.entries(shape).find(([key, check]) => !check(value[key]))
  return wrong === undefined ? null : `wrong or missing "${wrong[0]}"`
}

interface ModelShape {
  readonly key: readonly string[]
  readonly columns: Record<string, { type: string }>
  readonly relations: Record<string, { model: string }>
  readonly uniques: Record<string, readonly string[]>
  readonly sealed: Record<string, { type: string; list: boolean; bind: readonly string[] }>
  readonly indexes: Record<string, { field: string }>
  readonly constraints: Record<string, readonly string[]>
}

/** A name that leads nowhere: a field that is no column, a relation to a model that is not there. */
function danglingName(model: ModelShape, models: Record<string, unknown>): string | null {
  const sealed = Object.entries(model.sealed)
  const fields = [
    model.key,
    ...Object.values(model.uniques),
    ...Object.values(model.constraints),
    ...sealed.map(([, { bind }]) => bind),
    Object.keys(model.indexes),
  ]
  const noColumn = fields.flat().find((name) => !Object.hasOwn(model.columns, name))
  if (noColumn !== undefined) return `"${noColumn}" is no column`
  const otherType = sealed.find(([name, { type }]) => columnType(model, name) !== type)
  if (otherType !== undefined) return `"${otherType[0]}" is no column of the sealed type`
  const unsealed = Object.entries(model.indexes).find(
    ([, index]) => !isIndexable(model, index.field),
  )
  if (unsealed !== undefined) return `"${unsealed[0]}" is an index of no sealed String`
  const noModel = Object.values(model.relations).find((to) => !Object.hasOwn(models, to.model))
  return noModel === undefined ? null : `"${noModel.model}" is no model`
}

function columnType(model: ModelShape, name: string): string | undefined {
  return Object.hasOwn(model.columns, name) ? model.columns[name]?.type : undefined
}

function isIndexable(model: ModelShape, field: string): boolean {
  const sealed = Object.hasOwn(model.sealed, field) ? model.sealed[field] : undefined
  return sealed?.type === 'String' && !sealed.list
}
