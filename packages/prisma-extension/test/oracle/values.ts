import fc from 'fast-check'
import { shared } from './arbitraries.ts'
import type { Field, Model } from './models.ts'
import { POOLS } from './pools.ts'
import { ABSENT, DB_NULL, JSON_NULL, manyBytes, Marked, repeated, UNDEFINED } from './special.ts'

/** The values that data gives a field, in all their forms. */

/** One value as it may be looked for: never null, never long. */
export function lookedFor(field: Field): fc.Arbitrary<unknown> {
  return POOLS[field.values]!.look
}

/** Is the field unique alone, or part of an id? Then new records seldom get what others have. */
const isKey = (model: Model, field: Field): boolean =>
  field.isUnique === true || model.id.includes(field.name)

/** The value of a field in a `create`. Nothing for a field that may be left out, now and then. */
export const created = shared((model: Model, field: Field): fc.Arbitrary<unknown> => {
  const pool = POOLS[field.values]!
  const value = isKey(model, field) ? pool.make : pool.look
  if (field.isList) return list(field, value, false)
  const mayLack = field.isNullable === true || field.default !== undefined
  return fc.oneof(
    { weight: 120, arbitrary: value },
    { weight: mayLack ? 12 : 0, arbitrary: fc.constant(ABSENT) },
    { weight: 1, arbitrary: fc.constant(UNDEFINED) },
    ...emptied(field),
    ...odd(field),
  )
})

/** The value of a field in an `update`. */
export const updated = shared((model: Model, field: Field): fc.Arbitrary<unknown> => {
  const pool = POOLS[field.values]!
  const value = isKey(model, field) ? pool.make : pool.look
  if (field.isList) return list(field, value, true)
  const settable = fc.oneof({ weight: 30, arbitrary: value }, ...emptied(field), ...odd(field))
  return fc.oneof(
    { weight: 120, arbitrary: settable },
    { weight: 12, arbitrary: fc.constant(ABSENT) },
    // In a Json field it is a value.
    { weight: 30, arbitrary: settable.map((set) => ({ set })) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>({ set: ABSENT }, UNDEFINED) },
    ...(isNumber(field)
      ? [{ weight: 20, arbitrary: fc.constantFrom<unknown>({ increment: 1 }, { decrement: 2 }) }]
      : []),
  )
})

const isNumber = ({ type, values }: Field): boolean => type === 'Int' && values === 'int'

type Weighted = fc.WeightedArbitrary<unknown>

/** NULL in its forms, also for a field that may not be. */
function emptied(field: Field): Weighted[] {
  const weight = field.isNullable ? 14 : 1
  if (field.type !== 'Json') return [{ weight, arbitrary: fc.constant(null) }]
  return [
    { weight, arbitrary: fc.constant(DB_NULL) },
    { weight: 6, arbitrary: fc.constant(JSON_NULL) },
    // At run time JSON null, whatever the types say.
    { weight: 2, arbitrary: fc.constant(null) },
  ]
}

const MIB = 1 << 20
const one = (...values: unknown[]): Weighted => ({
  weight: 1,
  arbitrary: fc.constantFrom(...values),
})
const wrong = (value: unknown): Marked => new Marked('wrong type', value)
const surrogate = (text: string): Marked => new Marked('lone surrogate', text)

/** Seldom met: of a size or a form that something may not take. */
function odd(field: Field): Weighted[] {
  if (!field.isSealed) return []
  switch (field.type) {
    case 'String': {
      const broken = one(
        wrong(5),
        wrong({ a: 1 }),
        surrogate('a\ud800b'),
        surrogate('\udc00'),
        'a\u0000b',
      )
      // The equality of folded texts is known only of those in its pool.
      if (field.index === 'folded') return []
      // What is unique must fit into an index of the database, on the plain side.
      if (field.index !== undefined) return [broken]
      return [broken, one(repeated('x', MIB), repeated('ü😀', MIB / 8))]
    }
    case 'Json':
      return [
        one(repeated('j', MIB), { a: 'x\u0000' }, wrong([UNDEFINED])),
        one(new Marked('undefined in Json', { a: UNDEFINED, b: 1 })),
      ]
    case 'Bytes':
      // At run time Prisma takes base64 text too.
      return [one(manyBytes(7, MIB), 'AQID', wrong([1, 2]), wrong('not base64'))]
    default:
      return []
  }
}

/** `[…]`, `{ set }` and `{ push }`. */
function list(
  field: Field,
  value: fc.Arbitrary<unknown>,
  isUpdate: boolean,
): fc.Arbitrary<unknown> {
  const several = fc.array(value, { maxLength: 3 })
  const forms: Weighted[] = [
    { weight: 8, arbitrary: several },
    { weight: 2, arbitrary: fc.constant(ABSENT) },
  ]
  const isBytes = field.type === 'Bytes'
  // Plain Prisma stores the base64 text of bytes that are set: see declared.ts.
  if (!isBytes) forms.push({ weight: 4, arbitrary: several.map((set) => ({ set })) })
  if (isUpdate) {
    forms.push({ weight: 6, arbitrary: value.map((push) => ({ push })) })
    const two = fc.tuple(value, value)
    const pushed = isBytes
      ? two.map((push) => new Marked('several bytes pushed', { push }))
      : several.map((push) => ({ push }))
    forms.push({ weight: isBytes ? 1 : 4, arbitrary: pushed })
  }
  if (field.isSealed) forms.push(one(wrong('one'), wrong({ unset: true })))
  return fc.oneof(...forms)
}
