import { describe, expect, test } from 'vitest'
import { boundIn, boundTexts, contended } from '../../src/query/index.ts'
import {
  condition,
  impossible,
  namesCreated,
  pinned,
  valueOf,
} from '../../src/query/bound-values.ts'
import { planOf } from './clinic.ts'
import { A, atLibrary } from './library-walks.ts'
import { compile } from '../../src/query/compile.ts'

const library = atLibrary()

describe('what stands in a record', () => {
  test('is read by the type of its column', () => {
    const note = library.walks().plan.get('Note')!
    const text = note.sealed.get('text')!
    expect(boundIn(note, text, { id: A, tenantId: 2 }).map(String)).toStrictEqual(['2', A])
    expect(boundTexts(note, { id: A, tenantId: 2 })).toStrictEqual({ id: A, tenantId: '2' })
    for (const row of [{ id: A }, { id: A, tenantId: null }, { id: 'x', tenantId: 2 }]) {
      expect(() => boundIn(note, text, row)).toThrow(TypeError)
      expect(() => boundTexts(note, row)).toThrow(TypeError)
    }
    expect(() => boundIn(note, text, Object.create({ id: A, tenantId: 2 }))).toThrow(TypeError) // prettier-ignore
    expect(contended(note)).toMatchObject({ code: 'ERR_RECORD_BINDING', retryable: true })
  })
})

describe('the columns of a record', () => {
  const written = {
    columns: { id: 'Int', big: 'BigInt', is: 'Boolean', at: 'DateTime', name: 'String' },
    bound: {
      id: { type: 'Int' },
      big: { type: 'BigInt' },
      is: { type: 'Boolean' },
      name: { type: 'String' },
    },
    uniques: { id_at: ['id', 'at'] },
  } as const
  const [model, mysql] = (['postgresql', 'mysql'] as const).map((provider) =>
    compile(planOf({ A: written }, provider), []).get('A')!,
  )

  test('are told apart by the values of their types', () => {
    const values = ['id', 'big', 'is', 'name'].map((name) => valueOf(model!, name, '7'))
    expect(values).toStrictEqual([7, 7n, false, '7'])
    expect(valueOf(model!, 'is', 'true')).toBe(true)
    expect(condition(model!, 'big', '7')).toStrictEqual({ big: 7n })
    expect(impossible(model!, 'is')).toStrictEqual([{ is: true }, { is: false }])
    expect(impossible(model!, 'id')).toStrictEqual([{ id: { in: [] } }])
    expect(() => valueOf(model!, 'at', '7')).toThrow('A.at is no bound column')
  })

  test('are pinned by what a where says exactly', () => {
    const at = new Date(5)
    for (const [where, text] of [
      [{ id: 7 }, '7'],
      [{ id: { equals: 7 } }, '7'],
      [{ id: { equals: 7, mode: 'insensitive' } }, null],
      [{ id: { gt: 7 } }, null],
      [{ id_at: { id: 7, at } }, '7'],
      [{ id_at: { at } }, null],
      [{ id_at: 7 }, null],
      [{ other: { id: 7 } }, null],
      [{ NOT: { id: 7 } }, null],
      [[{ name: 'x' }, { AND: [{}, { id: 7 }] }], '7'],
      [7, null],
    ] as const)
      expect(pinned(model!, where, 'id')).toBe(text)
    expect(pinned(model!, { name: 'x' }, 'name')).toBe('x')
    expect(pinned(mysql!, { name: 'x' }, 'name')).toBeNull()
    expect(pinned(mysql!, { id: 7 }, 'id')).toBe('7')
  })

  test('name the record that an upsert creates, or do not', () => {
    const at = new Date(5)
    const names = (where: unknown, create: unknown): boolean => namesCreated(model!, where, create)
    for (const [where, create] of [
      [{ id: 1 }, { id: 1, name: 'x' }],
      [{ at }, { at: new Date(5) }],
      [{ id_at: { id: 1, at } }, { id: 1, at: new Date(5) }],
      [{ id: 1, name: undefined }, { id: 1 }],
      [{ id: 1, name: { contains: 'x' }, AND: 7, odd: 7 }, { id: 1 }],
    ])
      expect(names(where, create)).toBe(true)
    for (const [where, create] of [
      [{ id: 1 }, { id: 2 }],
      [{ id: 1 }, {}],
      [{ at }, { at: new Date(6) }],
      [{ at }, { at: 5 }],
      [{ at: 5 }, { at }],
      [{ id_at: { id: 1, at } }, { id: 1, at: new Date(6) }],
      [
        { id: 1, name: 'x' },
        { id: 1, name: 'y' },
      ],
      [7, { id: 1 }],
      [{ id: 1 }, 7],
    ])
      expect(names(where, create)).toBe(false)
  })
})
