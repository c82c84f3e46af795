import { AnyNull, DbNull, Decimal, JsonNull, skip } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import {
  fieldReference,
  isAbsent,
  isDecimal,
  isPlainObject,
  isReplaced,
  isSkip,
  nullKind,
} from '../../src/query/special.ts'
import { reference } from './walks.ts'

const OTHERS = [undefined, null, 0, '', 'x', true, {}, [], () => 1, new Date(0), Buffer.of(1)]
const MARK = Symbol.for('prisma.objectEnumValue')

describe('special values', () => {
  test('are the nulls of Prisma 7, and those of Prisma 6, which have no symbol', () => {
    expect([DbNull, JsonNull, AnyNull].map(nullKind)).toEqual(['DbNull', 'JsonNull', 'AnyNull'])
    expect(nullKind({ _getName: () => 'DbNull' })).toBe('DbNull')
    expect(nullKind({ [MARK]: true, _getName: () => 'DbNull' })).toBe('DbNull')
    for (const value of [...OTHERS, { _getName: 1 }, { [MARK]: true }, skip])
      expect(nullKind(value)).toBeNull()
  })

  test('are skip, and not what only has a property of that name', () => {
    expect([isSkip(skip), isAbsent(skip), isAbsent(undefined)]).toEqual([true, true, true])
    const own = { ifUndefined: () => 1 }
    const inherited = Object.create({ ifUndefined: 1 }) as object
    for (const value of [...OTHERS, own, inherited, DbNull]) expect(isSkip(value)).toBe(false)
    for (const value of [null, 0, '', own]) expect(isAbsent(value)).toBe(false)
  })

  test('are references to fields', () => {
    expect(fieldReference(reference('A', 'b'))).toMatchObject({ modelName: 'A', name: 'b' })
    for (const value of [...OTHERS, { _toGraphQLInputType: 1 }, skip])
      expect(fieldReference(value)).toBeNull()
  })

  test('are decimals, of whichever copy of the library', () => {
    const parts = { d: [1], e: 0, s: 1, toFixed: () => '1' }
    expect([isDecimal(new Decimal('1.5')), isDecimal(parts)]).toEqual([true, true])
    for (const wrong of [{ d: 1 }, { e: '0' }, { s: '1' }, { toFixed: 'x' }])
      expect(isDecimal({ ...parts, ...wrong })).toBe(false)
  })

  test('are objects in whose place Prisma sends something else', () => {
    expect(isReplaced({ toJSON: () => 1 })).toBe(true)
    expect(isReplaced({ __prismaRawParameters__: true })).toBe(true)
    expect(isReplaced({ toJSON: 1, __prismaRawParameters__: 'true' })).toBe(false)
  })

  test('are no plain objects where they are lists, dates or bytes', () => {
    const isPlain = OTHERS.map(isPlainObject)
    expect(OTHERS.filter((_, i) => isPlain[i])).toEqual([{}])
    expect([new Map(), Object.create(null), skip].map(isPlainObject)).toEqual([true, true, true])
  })
})
