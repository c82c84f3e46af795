import { decode } from '@rowseal/prisma-extension/envelope'
import type { Keyring } from '@rowseal/prisma-extension'
import { RawJson } from '@rowseal/prisma-extension/sql'
import { beforeAll, describe, expect, test } from 'vitest'
import { freshDeks } from '../../src/engine/deks.ts'
import { codeOf } from '../../src/engine/value-code.ts'
import { collect, elements, named, open, parse } from '../../src/engine/values.ts'
import type { TargetField } from '../../src/targets.ts'
import { fieldOf, keyringOf, rowOf, sealed } from './fields.ts'

let keyring: Keyring
let other: Keyring
let fields: TargetField[]
beforeAll(async () => {
  ;[keyring, other] = [await keyringOf('values'), await keyringOf('others')]
  fields = [
    fieldOf('text', keyring),
    fieldOf('scan', keyring, { type: 'Bytes' }),
    fieldOf('bound', other, { isBound: true }),
  ]
})

const textOf = (plaintext: Buffer): string =>
  plaintext[0] === 3 ? Buffer.from(decode('Bytes', plaintext)).toString() : decode('String', plaintext) // prettier-ignore

describe('collect', () => {
  test('finds the envelopes of a page, where they stand', async () => {
    const [a, b, c] = await sealed(fields, ['a', 'b', 'c'], ['7'])
    const rows = [
      rowOf(1, [a!, b!, c!], ['7']),
      rowOf(2, [null, null, null]),
      rowOf(3, [[a!, null, 'plain', a!], new RawJson('{}')]),
    ]
    const plain: [number, number][] = []
    const { sites, bad } = collect(fields, rows, () => true, (row, field) => plain.push([row, field])) // prettier-ignore
    expect(sites.map(({ row, field, element }) => [row, field, element])).toStrictEqual([
      [0, 0, 0],
      [0, 1, 0],
      [0, 2, 0],
      [2, 0, 0],
      [2, 0, 3],
    ])
    expect(sites.map(({ bound }) => bound)).toStrictEqual([['7'], ['7'], ['7'], [], []])
    expect(sites[0]!.envelope.keyId).toBe(keyring.activeKeyId)
    expect(plain).toStrictEqual([
      [2, 0],
      [2, 1],
    ])
    expect(bad).toStrictEqual([])
    expect(() => collect(fields, rows, () => true)).not.toThrow()
  })

  test('leaves out what is not wanted, and says what is broken', async () => {
    const [a, b] = await sealed(fields, ['a', 'b'])
    const rows = [rowOf(1, [a!, b!, 'rs1.broken'])]
    const asked: unknown[] = []
    const { sites, bad } = collect(fields, rows, (envelope, field, row) => {
      asked.push([envelope.keyId, field.name, row])
      return field.name === 'scan'
    })
    expect(asked).toStrictEqual([
      [keyring.activeKeyId, 'text', 0],
      [keyring.activeKeyId, 'scan', 0],
    ])
    expect(sites.map(({ field }) => field)).toStrictEqual([1])
    expect(bad).toStrictEqual([{ row: 0, field: 2, code: 'ERR_ENVELOPE_MALFORMED' }])
    expect(named(fields, bad)).toStrictEqual([
      { row: 0, field: 'bound', code: 'ERR_ENVELOPE_MALFORMED' },
    ])
  })

  test('leaves an error that is no value’s', async () => {
    const [a] = await sealed(fields, ['a'])
    const mine = new Error('mine')
    const fail = (): boolean => {
      throw mine
    }
    expect(() => collect(fields, [rowOf(1, [a!])], fail)).toThrow(mine)
  })

  test('takes one value for a list of one', () => {
    expect(elements(null)).toStrictEqual([null])
    expect(elements('x')).toStrictEqual(['x'])
    expect(elements(['x', null])).toStrictEqual(['x', null])
    expect(parse(new RawJson('"text" '))).toBeNull()
    expect(() => parse(new RawJson('"rs1." '))).toThrow(/another way/)
    expect(parse(Buffer.from([1]))).toBeNull()
    expect(parse('x')).toBeNull()
  })
})

describe('open', () => {
  test('gives the plaintexts, each under the keyring of its field', async () => {
    const [a, b, c] = await sealed(fields, ['a', 'b', 'c'], ['7'])
    const { sites } = collect(fields, [rowOf(1, [a!, b!, c!], ['7'])], () => true)
    const seen: [number, string][] = []
    const bad = await open(fields, sites, ({ field }, plaintext) => {
      seen.push([field, textOf(plaintext)])
    })
    expect(bad).toStrictEqual([])
    expect(seen).toStrictEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'c'],
    ])
  })

  test('says which do not open, and opens the others', async () => {
    const [a, b, c] = await sealed(fields, ['a', 'b', 'c'], ['7'])
    const rows = [
      rowOf(1, [a!, null, c!], ['8']),
      rowOf(2, [c!, b!, c!], [null]),
      rowOf(3, [(a as string).replace(/^rs1\.\w{8}/, 'rs1.00000077')]),
    ]
    const { sites } = collect(fields, rows, () => true)
    const seen: string[] = []
    const bad = await open(fields, sites, (_, plaintext) => seen.push(textOf(plaintext)))
    expect(seen).toStrictEqual(['a', 'b'])
    expect(bad).toHaveLength(4)
    expect(bad).toStrictEqual(
      expect.arrayContaining([
        { row: 0, field: 2, code: 'ERR_ENVELOPE_AUTH' },
        { row: 1, field: 0, code: 'ERR_KEY_STATE' },
        { row: 1, field: 2, code: 'ERR_ENVELOPE_AUTH' },
        { row: 2, field: 0, code: 'ERR_KEY_UNKNOWN' },
      ]),
    )
  })

  test('zeroes each plaintext after its use, also if that throws', async () => {
    const [a] = await sealed(fields, ['secret'])
    const { sites } = collect(fields, [rowOf(1, [a!])], () => true)
    const kept: Buffer[] = []
    await open(fields, sites, (_, plaintext) => kept.push(plaintext))
    const failing = open(fields, sites, (_, plaintext) => {
      kept.push(plaintext)
      throw new RangeError('mine')
    })
    await expect(failing).rejects.toThrow(RangeError)
    expect(kept).toStrictEqual([Buffer.alloc(7), Buffer.alloc(7)])
  })

  test('counts what its use refuses as the value’s', async () => {
    const [a] = await sealed(fields, ['a'])
    const { sites } = collect(fields, [rowOf(1, [a!])], () => true)
    const bad = await open(fields, sites, () => {
      throw Object.assign(new Error(), { code: 'ERR_VALUE_INVALID' })
    })
    expect(bad).toStrictEqual([{ row: 0, field: 0, code: 'ERR_VALUE_INVALID' }])
  })
})

test('a code is a value’s only if it is one of Rowseal’s', () => {
  expect(codeOf(Object.assign(new Error(), { code: 'ERR_X' }))).toBe('ERR_X')
  for (const error of [
    new Error('x'),
    Object.assign(new Error(), { code: 'P2002' }),
    null,
    { code: 7 },
  ])
    // prettier-ignore
    expect(() => codeOf(error)).toThrow()
})

test('a record has one DEK in each keyring, and another record another', async () => {
  const wanted = [
    { keyring, row: 4 },
    { keyring, row: 4 },
    { keyring, row: 2 },
    { keyring: other, row: 4 },
  ]
  const dekOf = await freshDeks(wanted)
  const [a, same, b, c] = wanted.map(dekOf)
  expect(same).toBe(a)
  expect(new Set([a, b, c]).size).toBe(3)
  expect([a!.keyId, b!.keyId, c!.keyId]).toStrictEqual([keyring.activeKeyId, keyring.activeKeyId, other.activeKeyId]) // prettier-ignore
})
