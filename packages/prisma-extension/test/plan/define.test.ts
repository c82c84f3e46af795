import { describe, expect, expectTypeOf, it } from 'vitest'
import { SchemaError } from '../../src/errors.ts'
import type { RawAccess } from '../../src/index.ts'
import type {
  BoundArgument,
  IndexName,
  Plan,
  PlanSource,
  SealedName,
} from '../../src/plan/index.ts'
import { definePlan } from '../../src/plan/index.ts'

const field = {
  type: 'String',
  list: false,
  nullable: true,
  id: 'User.mail',
  keyring: 'default',
  plaintext: 'refuse',
  seal: 'on',
  pad: 0,
  bind: [],
} as const

const index = {
  field: 'mail',
  id: 'User.mailIndex',
  normalize: ['trim', 'lowercase'],
  slot: 1,
  unique: true,
} as const

const user = {
  table: 'users',
  key: ['id'],
  columns: {
    id: { type: 'Int', column: 'user_id' },
    mail: { type: 'String', column: 'mail' },
    mailIndex: { type: 'String', column: 'mailIndex' },
    tenant: { type: 'Int', column: 'tenant' },
  },
  relations: { posts: { model: 'Post', list: true } },
  uniques: { tenant_id: ['tenant', 'id'] },
  sealed: { mail: field },
  indexes: { mailIndex: index },
  constraints: { users_mailIndex_key: ['mailIndex'] },
  bound: {},
} as const

const post = {
  table: 'Post',
  schema: 'blog',
  key: ['id'],
  columns: { id: { type: 'Int', column: 'id' } },
  relations: {},
  uniques: {},
  sealed: {},
  indexes: {},
  constraints: {},
  bound: {},
} as const

const source = {
  format: 2,
  digest: 'ab'.repeat(32),
  provider: 'postgresql',
  models: { User: user, Post: post },
} as const

function refusal(plan: unknown): SchemaError {
  try {
    definePlan(plan as PlanSource)
  } catch (error) {
    expect(error).toBeInstanceOf(SchemaError)
    return error as SchemaError
  }
  throw new Error('The plan was accepted.')
}

describe('definePlan', () => {
  it('gives back what the generator wrote', () => {
    const plan = definePlan(source)
    expect(plan.digest).toBe(source.digest)
    expect(plan.provider).toBe('postgresql')
    expect(plan.models).toEqual(source.models)
    expect(plan.source).toBe(source)
  })

  it('freezes the plan at every depth', () => {
    const plan = definePlan(structuredClone(source))
    for (const copy of [plan, plan.source]) {
      const models = copy.models as any
      expect(() => (models.User.sealed.mail.plaintext = 'allow')).toThrow(TypeError)
      expect(() => models.User.key.push('x')).toThrow(TypeError)
      expect(() => (models.Extra = {})).toThrow(TypeError)
      expect(() => delete models.User.sealed.mail).toThrow(TypeError)
    }
  })

  it('finds no model and no field under the names every object has', () => {
    const { models } = definePlan(source)
    expect(models['constructor']).toBeUndefined()
    expect(models['__proto__']).toBeUndefined()
    expect('toString' in models['User']!.columns).toBe(false)
    expect('valueOf' in models['User']!.sealed).toBe(false)
  })

  it('finds a model and a field that are really called so', () => {
    const columns = { constructor: { type: 'String', column: 'c' } }
    const sealed = { constructor: { ...field, id: 'constructor.constructor' } }
    const model = { ...post, key: [], columns, sealed }
    const { models } = definePlan({ ...source, models: { constructor: model } })
    expect(models['constructor']?.sealed['constructor']?.id).toBe('constructor.constructor')
  })

  it.each([
    ['no plan', undefined, 'unknown'],
    ['an older format', { ...source, format: 0 }, 'format 0'],
    ['a newer format', { ...source, format: 3, models: 'other' }, 'format 3'],
    ['a format that is text', { ...source, format: '1' }, 'unknown'],
  ])('refuses %s and says to generate again', (_, plan, part) => {
    const error = refusal(plan)
    expect(error.code).toBe('ERR_PLAN_FORMAT')
    expect(error.message).toContain(part)
    expect(error.fix).toContain('npx prisma generate')
  })

  const withMail = (change: object) => ({
    ...source,
    models: { Post: post, User: { ...user, sealed: { mail: { ...field, ...change } } } },
  })
  const withIndex = (change: object) =>
    withUser({ indexes: { mailIndex: { ...index, ...change } } })
  const withUser = (change: object) => ({
    ...source,
    models: { Post: post, User: { ...user, ...change } },
  })

  const withGenerator = (generate: object) =>
    withUser({ bound: { id: { type: 'String', generate } } })
  const withPosts = (change: object) =>
    withUser({ relations: { posts: { model: 'Post', list: true, ...change } } })

  it.each([
    ['a digest that is none', { ...source, digest: 'AB'.repeat(32) }],
    ['another provider', { ...source, provider: 'mongodb' }],
    ['models as a list', { ...source, models: [] }],
    ['an unknown property', { ...source, extra: 1 }],
    ['an unknown property of a model', withUser({ primary: [] })],
    ['an unknown property of a field', withMail({ mode: 'strict' })],
    ['a missing property', withUser({ table: undefined })],
    ['a key that is no column', withUser({ key: ['posts'] })],
    ['a key named like a method', withUser({ key: ['toString'] })],
    ['a unique of no column', withUser({ uniques: { a_b: ['a', 'b'] } })],
    ['a relation to no model', withUser({ relations: { x: { model: 'Nobody', list: false } } })],
    ['a sealed field that is no column', withUser({ sealed: { other: field } })],
    ['a sealed field of another type than its column', withMail({ type: 'Json' })],
    ['plaintext spelt otherwise', withMail({ plaintext: 'allowed' })],
    ['a negative pad', withMail({ pad: -1 })],
    ['a fraction as pad', withMail({ pad: 1.5 })],
    ['a number as default', withMail({ default: 1 })],
    ['a binding to no column', withMail({ bind: ['nothing'] })],
    ['an empty id', withMail({ id: '' })],
    ['an index of no field', withIndex({ field: 'other' })],
    ['an index of a field that is not sealed', withIndex({ field: 'tenant' })],
    ['a normalizer that is none', withIndex({ normalize: ['lower'] })],
    ['a third slot', withIndex({ slot: 3 })],
    ['an index that is no column', withUser({ indexes: { other: index } })],
    ['an index of a list', withMail({ list: true })],
    ['a constraint over no column', withUser({ constraints: { key: ['other'] } })],
    ['a binding to a column it does not say how to read', withMail({ bind: ['tenant'] })],
    ['a bound column that is none', withUser({ bound: { other: { type: 'Int' } } })],
    ['a bound column of another type', withUser({ bound: { tenant: { type: 'Float' } } })],
    ['a default that is an object', withUser({ bound: { tenant: { type: 'Int', default: {} } } })],
    ['ids of an unknown function', withGenerator({ name: 'now' })],
    ['ids with an unknown option', withGenerator({ name: 'uuid', version: 4 })],
    ['a foreign key it does not say how to read', withPosts({ boundThere: { userId: 'id' } })],
    ['a relation that sets nothing', withPosts({ boundHere: {} })],
    ['a field that is null', withUser({ sealed: { mail: null } })],
  ])('refuses %s', (_, plan) => {
    expect(refusal(plan).code).toBe('ERR_PLAN_FORMAT')
    expect(refusal(plan).message).toContain('damaged')
  })

  it('takes bound columns and the relations that set them', () => {
    const bound = { id: { type: 'Int' }, tenant: { type: 'Int', default: 0 } }
    const relations = { posts: { model: 'Post', list: true, boundThere: { userId: 'id' } } }
    const plan = definePlan(withUser({ bound, relations }) as unknown as PlanSource)
    expect(plan.models['User']).toMatchObject({ bound, relations })
    expect('toString' in plan.models['User']!.relations['posts']!.boundThere!).toBe(false)
  })

  it('keeps the names of sealed fields in the type', () => {
    const plan = definePlan(source)
    type Names<P> = P extends Plan<infer S> ? SealedName<S> : never
    expectTypeOf<Names<typeof plan>>().toEqualTypeOf<'User.mail'>()
    type Indexes<P> = P extends Plan<infer S> ? IndexName<S> : never
    expectTypeOf<Indexes<typeof plan>>().toEqualTypeOf<'User.mailIndex'>()
    expectTypeOf(plan).toExtend<Plan>()
    type Raw<P> = P extends Plan<infer S> ? RawAccess<S> : never
    expectTypeOf<Parameters<Raw<typeof plan>['index']>[0]>().toEqualTypeOf<'User.mailIndex'>()
    expectTypeOf<Parameters<Raw<typeof plan>['open']>[0]>().toEqualTypeOf<'User.mail'>()
  })

  it('says in the type what a value is bound to', () => {
    const sealed = { mail: { ...field, bind: ['id', 'tenant'] }, note: field } as const
    const columns = { ...user.columns, note: user.columns.mail } as const
    const bound = { id: { type: 'BigInt' }, tenant: { type: 'Int' } } as const
    const plan = definePlan({
      ...source,
      models: { Post: post, User: { ...user, columns, sealed, bound } },
    })
    expect(plan.models['User']!.bound).toEqual(bound)
    type Source = typeof plan extends Plan<infer S> ? S : never
    expectTypeOf<BoundArgument<Source, 'User.mail'>>().toEqualTypeOf<
      [bound: { readonly id: bigint | number; readonly tenant: number }]
    >()
    expectTypeOf<BoundArgument<Source, 'User.note'>>().toEqualTypeOf<[]>()
    expectTypeOf<BoundArgument<PlanSource, `${string}.${string}`>>().toEqualTypeOf<
      [bound?: Readonly<Record<string, unknown>>]
    >()
  })
})
