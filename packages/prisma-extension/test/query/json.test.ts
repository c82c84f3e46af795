import { Decimal, JsonNull, skip } from '@prisma/client/runtime/client'
import { describe, expect, it } from 'vitest'
import { jsonText, NotJson } from '../../src/query/json.ts'
import { reference } from './walks.ts'

describe('jsonText', () => {
  it('keeps what JSON.stringify writes the same way', () => {
    const value = { a: [1, 'x', null, true], b: { c: -0.5 } }
    expect(jsonText(value)).toBe(JSON.stringify(value))
  })

  it.each([
    ['a date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['a bigint', 2n ** 70n, '"1180591620717411303424"'],
    ['bytes', new Uint8Array([1, 2]), '"AQI="'],
    ['a view into a larger buffer', Buffer.from('abc').subarray(1), '"YmM="'],
    ['NaN', NaN, 'null'],
    ['a Decimal at the top', new Decimal('1.50'), '1.5'],
    ['a Decimal below', { price: new Decimal('1.50') }, '{"price":"1.5"}'],
    ['a null of Prisma below', [JsonNull, 1], '["JsonNull",1]'],
    ['a property that is skipped', { a: skip, b: 1 }, '{"b":1}'],
    ['what has a toJSON that is no function', { toJSON: 1 }, '{"toJSON":1}'],
    ['a Map', new Map([[1, 2]]), '{}'],
    ['undefined properties', { a: undefined, b: 1 }, '{"b":1}'],
    ['what toJSON gives', { x: { toJSON: () => new Date(0) } }, '{"x":"1970-01-01T00:00:00.000Z"}'],
    ['inherited properties', Object.create({ p: 1 }), '{"p":1}'],
    [
      'keys that Prisma gives a meaning in classes of its own',
      { ifUndefined: 1, x: { ifUndefined: 2 } },
      '{"ifUndefined":1,"x":{"ifUndefined":2}}',
    ],
    [
      'what only looks like a Decimal',
      { d: 1, e: 2, s: 3, toFixed: 'x' },
      '{"d":1,"e":2,"s":3,"toFixed":"x"}',
    ],
    [
      'what only looks like a reference',
      { _toGraphQLInputType: 1, _getName: 2 },
      '{"_toGraphQLInputType":1,"_getName":2}',
    ],
    [
      'a key named __proto__',
      JSON.parse('{"__proto__":{"a":1},"d":1}'),
      '{"__proto__":{"a":1},"d":1}',
    ],
  ])('writes %s as Prisma does', (_name, value, text) => {
    expect(jsonText(value)).toBe(text)
  })

  it.each([
    ['undefined in a list', [undefined]],
    ['what is skipped in a list', [1, skip]],
    ['a reference to a field', { a: reference('Patient', 'name') }],
    ['a function', { f: () => 1 }],
    ['a symbol', [Symbol('x')]],
    ['an invalid date', new Date(NaN)],
  ])('refuses %s', (_name, value) => {
    expect(() => jsonText(value)).toThrow(NotJson)
  })

  it('leaves the value it was given alone', () => {
    const value = { d: new Date(0), list: [5n] }
    jsonText(value)
    expect(value).toEqual({ d: new Date(0), list: [5n] })
  })
})
