import { danglingName, type ModelShape } from './dangling.ts'
import { NORMALIZERS } from './plan.ts'

type Check = (value: unknown) => boolean

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
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

const isNames: Check = (value) =>
  isRecord(value) && Object.values(value).length > 0 && Object.values(value).every(isString)
const COLUMN: Shape = { type: isString, column: isString, values: isOptional(isNames) }
const RELATION: Shape = {
  model: isString,
  list: isBoolean,
  boundHere: isOptional(isNames),
  boundThere: isOptional(isNames),
}
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
const ID_FUNCTION: Shape = {
  name: isOneOf('uuid', 'cuid', 'ulid', 'nanoid'),
  argument: isOptional(isCount),
}
const BOUND: Shape = {
  type: isOneOf('String', 'Uuid', 'Int', 'BigInt', 'Boolean', 'Enum'),
  maxChars: isOptional(isCount),
  default: isOptional((value) => ['string', 'number', 'boolean'].includes(typeof value)),
  generate: isOptional((value) => flawOf(value, ID_FUNCTION) === null),
}
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
  bound: isRecordOf(BOUND),
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
