import { AnyNull, DbNull, Decimal, JsonNull, skip } from '@prisma/client/runtime/client'
import { describe, expect, test } from 'vitest'
import { atClinic, invalid, unsupported } from './clinic-walks.ts'
import { reference, to } from './walks.ts'

// What the value of a field becomes before it is sealed, with the values of blind indexes beside it.

const { phone, folded, created, updated } = atClinic()
const phones = (text: string): object => ({
  phoneLower: folded(text),
  phoneIndex: phone(text),
})
const bytes = new Uint8Array([1, 2])

describe('one value', () => {
  test.each<[string, unknown, unknown?]>([
    ['a text', { secret: 's' }, { secret: to('s') }],
    ['no text', { secret: '' }, { secret: to('') }],
    ['what looks like an envelope', { secret: 'rs1.' }, { secret: to('rs1.') }],
    ['Json', { notes: { a: [1, null] } }, { notes: to({ a: [1, null] }) }],
    ['Json that has a set', { notes: { set: 1 } }, { notes: to({ set: 1 }) }],
    ['a list in Json', { notes: [1] }, { notes: to([1]) }],
    ['null in Json', { notes: null }, { notes: to(null) }],
    ['JsonNull', { notes: JsonNull }, { notes: to(null) }],
    ['a Decimal in Json', { notes: new Decimal('1.50') }, { notes: to(1.5) }],
    ['DbNull', { notes: DbNull }],
    ['bytes', { scan: bytes }, { scan: to(bytes) }],
    ['bytes as a Buffer', { scan: Buffer.from(bytes) }, { scan: to(bytes) }],
    ['bytes as a view of words', { scan: new Uint16Array([0x0201]) }, { scan: to(bytes) }],
    ['bytes as base64', { scan: 'AQI=' }, { scan: to(bytes) }],
    ['null', { secret: null, scan: null }],
    ['what is not sealed any more', { old: 'o', oldScan: bytes }],
    ['null that is not sealed any more', { old: null }],
  ])('of a create: %s', (_name, given, becomes = given) => {
    expect(created(given)).toStrictEqual(becomes)
    expect(updated(given)).toStrictEqual(becomes)
  })

  test('of an update, in set', () => {
    expect(updated({ secret: { set: 's' }, scan: { set: bytes } })).toStrictEqual({
      secret: { set: to('s') },
      scan: { set: to(bytes) },
    })
    expect(updated({ secret: { set: null } })).toStrictEqual({ secret: { set: null } })
    expect(updated({ phone: { set: undefined } })).toStrictEqual({ phone: { set: undefined } })
  })

  test('comes with the values of all its indexes', () => {
    expect(created({ phone: 'P' })).toStrictEqual({ phone: to('P'), ...phones('P') })
    expect(updated({ phone: { set: 'P' } })).toStrictEqual({ phone: { set: to('P') }, ...phones('P') }) // prettier-ignore
    const none = { phoneLower: null, phoneIndex: null }
    expect(updated({ phone: null })).toStrictEqual({ phone: null, ...none })
    expect(updated({ phone: { set: null } })).toStrictEqual({ phone: { set: null }, ...none })
  })

  test.each<[string, object, string]>([
    ['a number for a text', { secret: 7 }, 'Patient.secret'],
    ['bytes for a text', { secret: bytes }, 'Patient.secret'],
    ['a text that is no base64', { scan: 'AQI' }, 'Patient.scan'],
    ['a number for bytes', { scan: 7 }, 'Patient.scan'],
    ['a lone surrogate', { secret: '\ud800' }, 'Patient.secret'],
    ['AnyNull', { notes: AnyNull }, 'Patient.notes'],
    ['a function in Json', { notes: { f: () => 1 } }, 'Patient.notes'],
    ['a reference in Json', { notes: [reference('Patient', 'name')] }, 'Patient.notes'],
    ['undefined in a list in Json', { notes: [undefined] }, 'Patient.notes'],
    ['skip in a list in Json', { notes: [skip] }, 'Patient.notes'],
    ['an envelope that is not to be sealed', { old: 'rs1.0' }, 'Patient.old'],
    ['bytes of an envelope that is not to be sealed', { oldScan: Buffer.from([0x52, 0x53, 1]) }, 'Patient.oldScan'], // prettier-ignore
    ['a set in a create', { secret: { set: 's' } }, 'Patient.secret'],
  ])('is refused: %s', (_name, data, field) => {
    expect(() => created(data)).toThrow(invalid(field))
  })

  test('is refused in an update: a set beside another operation', () => {
    const data = { secret: { set: 's', increment: 1 } }
    expect(() => updated(data)).toThrow(invalid('Patient.secret'))
  })

  test('is refused by name where Json refers to itself', () => {
    const circular: unknown[] = []
    circular.push(circular)
    expect(() => created({ notes: circular })).toThrow(invalid('Patient.notes'))
  })

  test('leaves an error of the application, thrown by a getter, as it is', () => {
    const mine = new TypeError('mine')
    const notes = { toJSON: () => { throw mine } } // prettier-ignore
    expect(() => created({ notes })).toThrow(mine)
  })
})

describe('a list', () => {
  test('has each element sealed, under one DEK', () => {
    expect(created({ words: ['a', 'b'], docs: [{}, [1]], blobs: [bytes] })).toStrictEqual({
      words: [to('a'), to('b')],
      docs: [to({}), to([1])],
      blobs: [to(bytes)],
    })
    expect(created({ words: [] })).toStrictEqual({ words: [] })
  })

  test('is set whole', () => {
    expect(created({ words: { set: ['a'] } })).toStrictEqual({ words: { set: [to('a')] } })
    expect(updated({ words: { set: ['a'], push: undefined } })).toStrictEqual({
      words: { set: [to('a')] },
    })
    expect(updated({ blobs: { set: [bytes] } })).toStrictEqual({ blobs: [to(bytes)] })
  })

  test('is pushed to', () => {
    expect(updated({ words: { push: 'a' } })).toStrictEqual({ words: { push: to('a') } })
    expect(updated({ words: { push: ['a', 'b'] } })).toStrictEqual({
      words: { push: [to('a'), to('b')] },
    })
    expect(updated({ docs: { push: [1, 2] } })).toStrictEqual({ docs: { push: to([1, 2]) } })
    expect(updated({ blobs: { push: bytes } })).toStrictEqual({ blobs: { push: to(bytes) } })
    expect(updated({ blobs: { push: [bytes] } })).toStrictEqual({ blobs: { push: to(bytes) } })
    expect(() => updated({ blobs: { push: [bytes, bytes] } })).toThrow(unsupported('Patient.blobs'))
  })

  test('does not change the list that was given', () => {
    const words = ['a']
    created({ words })
    expect(words).toStrictEqual(['a'])
  })

  test.each<[string, unknown]>([
    ['one value', 'a'],
    ['null', null],
    ['a set of one value', { set: 'a' }],
    ['two operations', { set: ['a'], push: 'b' }],
    ['an operation of no list', { unset: ['a'] }],
    ['no operation', {}],
    ['an element of another type', [7]],
    ['an element that is null', [null]],
  ])('is refused: %s', (_name, words) => {
    const refused = invalid('Patient.words')
    expect(() => updated({ words })).toThrow(refused)
    expect(() => created({ words })).toThrow(refused)
  })

  test('is refused: a push in a create', () => {
    expect(() => created({ words: { push: 'a' } })).toThrow(
      expect.objectContaining({ code: 'ERR_VALUE_INVALID' }),
    )
  })
})
