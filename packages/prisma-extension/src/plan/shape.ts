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
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isRecordOf =
  (shape: Shape): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every((entry) => flawOf(entry, shape) === null)
const MODEL: Shape = {
  table: isString,
  schema: isOptional(isString),
  key: isStrings,
  columns: isRecordOf(COLUMN),
  relations: isRecordOf(RELATION),
  uniques: (value) => isRecord(value) && Object.values(value).every((fields) => isStrings(fields)),
  sealed: isRecordOf(SEALED),
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
  readonly sealed: Record<string, { type: string; bind: readonly string[] }>
}

/** A name that leads nowhere: a field that is no column, a relation to a model that is not there. */
function danglingName(model: ModelShape, models: Record<string, unknown>): string | null {
  const sealed = Object.entries(model.sealed)
  const fields = [model.key, ...Object.values(model.uniques), ...sealed.map(([, { bind }]) => bind)]
  const noColumn = fields.flat().find((name) => !Object.hasOwn(model.columns, name))
  if (noColumn !== undefined) return `"${noColumn}" is no column`
  const otherType = sealed.find(([name, { type }]) => columnType(model, name) !== type)
  if (otherType !== undefined) return `"${otherType[0]}" is no column of the sealed type`
  const noModel = Object.values(model.relations).find((to) => !Object.hasOwn(models, to.model))
  return noModel === undefined ? null : `"${noModel.model}" is no model`
}

function columnType(model: ModelShape, name: string): string | undefined {
  return Object.hasOwn(model.columns, name) ? model.columns[name]?.type : undefined
}
