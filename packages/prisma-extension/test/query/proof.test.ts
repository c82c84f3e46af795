import { beforeAll, describe, expect, test } from 'vitest'
import type { ModelPlan } from '../../src/query/compile.ts'
import type { Current } from '../../src/query/current.ts'
import { hasNested, holds, proofOf, type Proof } from '../../src/query/proof.ts'
import { planOf } from './clinic.ts'
import { walksOf } from './walks.ts'

const SCHEMA = {
  Note: {
    columns: { id: 'Int', off: 'String', a: 'String', b: 'String', data: 'Json', scan: 'Bytes' },
    sealed: { off: { seal: 'off' }, a: {}, b: {}, data: {}, scan: {} },
    relations: {
      tags: { model: 'Tag', list: true },
      owner: { model: 'Tag', list: false },
    },
  },
  Tag: { columns: { id: 'Int', a: 'String' }, sealed: { a: {} } },
}
const READ = { state: 'read', texts: {} } as const

const models: Partial<Record<'mysql' | 'postgresql' | 'sqlite', ModelPlan>> = {}
beforeAll(async () => {
  for (const provider of ['mysql', 'postgresql', 'sqlite'] as const) {
    models[provider] = (await walksOf(planOf(SCHEMA as never, provider))).plan.get('Note')!
  }
})
const proof = (args: Record<string, unknown>, current: Current = READ): Proof | null =>
  proofOf(models.mysql!, current, args)
/** The field that proves, and where its value is looked for. */
const shown = (args: Record<string, unknown>, current: Current = READ): unknown => {
  const found = proof(args, current)
  return found && [found.field.name, found.parts]
}

describe('what proves that an update was written', () => {
  test('is its first sealed value', () => {
    expect(shown({ data: { id: 1, b: 'B' } })).toEqual(['b', ['data']])
    expect(shown({ data: { b: 'B', a: { set: 'A' } } })).toEqual(['a', ['data']])
    expect(shown({ data: { data: { set: 1 } } })).toEqual(['data', ['data']])
    expect(shown({ data: { scan: new Uint8Array(3) } })).toEqual(['scan', ['data']])
  })

  test('is nothing where nothing is sealed', () => {
    for (const data of [
      {},
      { id: 1 },
      { off: 'x' },
      { a: null },
      { a: undefined },
      { a: { set: null } },
    ]) {
      expect(shown({ data })).toBeNull()
    }
    expect(shown({})).toBeNull()
    expect(shown({ data: 'a' })).toBeNull()
  })

  test('is a value of both sides of an upsert', () => {
    expect(shown({ create: { a: 'A', b: 'B' }, update: { b: 'C' } })).toEqual([
      'b',
      ['create', 'update'],
    ])
    expect(shown({ create: { a: 'A' }, update: { b: 'B' } })).toBeNull()
    expect(shown({ create: {}, update: { b: 'B' } })).toBeNull()
    expect(shown({ create: { a: 'A' }, update: {} })).toBeNull()
  })

  test('is asked for on MySQL alone, of a record that was read', () => {
    const args = { data: { a: 'A' } }
    for (const state of ['unread', 'batch', 'absent'] as const) {
      expect(shown(args, { state })).toBeNull()
    }
    for (const provider of ['postgresql', 'sqlite'] as const) {
      expect(proofOf(models[provider]!, READ, args)).toBeNull()
    }
    expect(shown(args)).not.toBeNull()
  })
})

describe('a proof', () => {
  test('holds for the value that was sent, and for no other', () => {
    for (const data of [{ a: 'rs1.1' }, { a: { set: 'rs1.1' } }]) {
      const given = proof({ data })!
      expect(holds(given, { data }, { id: 1, a: 'rs1.1' })).toBe(true)
      expect(holds(given, { data }, { id: 1, a: 'rs1.2' })).toBe(false)
      expect(holds(given, { data }, { id: 1, a: null })).toBe(false)
    }
  })

  test('holds for what was sent in either part of an upsert', () => {
    const args = { create: { a: 'rs1.1' }, update: { a: { set: 'rs1.2' } } }
    const given = proof(args)!
    expect(['rs1.1', 'rs1.2', 'rs1.3'].map((a) => holds(given, args, { a }))).toEqual([
      true,
      true,
      false,
    ])
  })

  test('holds for Json that looks like a wrapper as it is', () => {
    const data = { data: 'rs1.1' }
    const given = proof({ data: { data: { set: 1 } } })!
    expect(holds(given, { data }, { data: 'rs1.1' })).toBe(true)
    expect(holds(given, { data: { data: { set: 'rs1.1' } } }, { data: 'rs1.1' })).toBe(false)
  })

  test('holds for the same bytes, in whichever array', () => {
    const data = { scan: Buffer.from('abc') }
    const given = proof({ data })!
    expect(holds(given, { data }, { scan: new Uint8Array([97, 98, 99]) })).toBe(true)
    expect(holds(given, { data }, { scan: new Uint8Array([97, 98, 100]) })).toBe(false)
    expect(holds(given, { data }, { scan: 'abc' })).toBe(false)
    expect(holds(given, { data: { scan: 'abc' } }, { scan: Buffer.from('abc') })).toBe(false)
  })

  test('says nothing of a record that does not show the field', () => {
    const data = { a: 'rs1.1' }
    const given = proof({ data })!
    for (const record of [null, undefined, 7, [], { id: 1 }, Object.create({ a: 'x' })]) {
      expect(holds(given, { data }, record)).toBe(true)
    }
  })
})

describe('an update writes records beside its own', () => {
  test('where one of its relations is given', () => {
    const nested = (args: object): boolean => hasNested(models.mysql!, args as never)
    expect(nested({ data: { tags: { create: {} } } })).toBe(true)
    expect(nested({ data: { a: 'A', owner: { update: {} } } })).toBe(true)
    expect(nested({ create: {}, update: { owner: { update: {} } } })).toBe(true)
    expect(nested({ create: { owner: { create: {} } }, update: { a: 'A' } })).toBe(false)
    expect(nested({ data: { a: 'A', tags: undefined } })).toBe(false)
    expect(nested({ data: {} })).toBe(false)
    expect(nested({})).toBe(false)
  })
})
