import type { Keyring } from '@rowseal/prisma-extension'
import { keyIdOf } from '@rowseal/prisma-extension/envelope'
import { rotate } from '@rowseal/prisma-extension/keys'
import { RawJson } from '@rowseal/prisma-extension/sql'
import type { ColumnScalar } from '@rowseal/prisma-extension/sql'
import { beforeEach, describe, expect, test } from 'vitest'
import { holderOf, partsOf, reencrypt, sealedFields, swapRows } from '../../src/drain/reencrypt.ts'
import { staleKeysOf } from '../../src/drain/stale-keys.ts'
import { collect, open } from '../../src/engine/values.ts'
import type { TargetField } from '../../src/targets.ts'
import { single } from '../../src/tenants.ts'
import { fieldOf, freshFields, rowOf, sealed, targetOf } from './fields.ts'

let keyring: Keyring
let other: Keyring
let fields: TargetField[]
beforeEach(async () => {
  ;({ keyring, other, fields } = await freshFields())
})

const plaintexts = async (values: readonly ColumnScalar[], row = rowOf(1, values, ['7'])) => {
  const texts: string[] = []
  const { sites, bad } = collect(fields, [row], () => true)
  const unopened = await open(fields, sites, (_, plaintext) => {
    texts.push(plaintext.toString('latin1', 1))
  })
  expect([...bad, ...unopened]).toStrictEqual([])
  return texts
}

describe.each(['kek', 'kms'] as const)('stale values, with DEKs that the %s wraps', (wrapping) => {
  beforeEach(async () => {
    ;({ keyring, other, fields } = await freshFields({ wrapping }))
  })

  test('are sealed again under the active key, and nothing else changes', async () => {
    const [a, b, c] = await sealed(fields, ['a', 'b', 'c'], ['7'])
    await rotate(keyring)
    const [fresh] = await sealed(fields, ['fresh'])
    const target = targetOf(fields)
    const stale = await staleKeysOf(target)
    const rows = [
      rowOf(1, [fresh!, null, c!], ['7']),
      rowOf(2, [a!, b!, c!], ['7']),
      rowOf(3, [a!, null, new RawJson('{}')], ['7']),
      rowOf(4, ['plain', null, null]),
    ]
    const { changes, bad } = await reencrypt(target, rows, stale)
    expect(bad).toStrictEqual([])
    expect(changes.map(({ row, key, old }) => [row, key, old])).toStrictEqual([
      [1, ['2'], [a, b, null]],
      [2, ['3'], [a, null, null]],
    ])
    const [next] = changes.map(({ next }) => next as (ColumnScalar | null)[])
    expect(next!.slice(0, 2).map((value) => keyIdOf(value as string))).toStrictEqual([
      keyring.activeKeyId,
      keyring.activeKeyId,
    ])
    expect(next![2]).toBeNull()
    expect(typeof next![0]).toBe('string')
    expect(next![1]).toBeInstanceOf(Uint8Array)
    expect(await plaintexts([next![0]!, next![1]!])).toStrictEqual(['a', 'b'])
    const deks = [next![0] as string, changes[1]!.next[0] as string].map((text) =>
      Buffer.from(text.slice(13), 'base64url').toString('hex', 1, 61),
    )
    expect(deks[0]).not.toBe(deks[1])
  })

  test('in lists change where they stand', async () => {
    const [a] = await sealed(fields, ['a'])
    const [b] = await sealed(fields, ['b'])
    await rotate(keyring)
    const [fresh] = await sealed(fields, ['fresh'])
    const target = targetOf(fields)
    const rows = [rowOf(1, [[a!, null, fresh!, b!], null, null])]
    const { changes } = await reencrypt(target, rows, await staleKeysOf(target))
    const list = changes[0]!.next[0] as (string | null)[]
    expect(list).toHaveLength(4)
    expect(list.slice(1, 3)).toStrictEqual([null, fresh])
    expect(await plaintexts([list[0]!])).toStrictEqual(['a'])
    expect(await plaintexts([list[3]!])).toStrictEqual(['b'])
    expect(changes[0]!.old).toStrictEqual([rows[0]!.values[0], null, null])
  })

  test('that do not open stay and are named; others of the row are moved', async () => {
    const [a, b] = await sealed(fields, ['a', 'b'])
    await rotate(keyring)
    const target = targetOf(fields)
    const cut = (a as string).slice(0, 40)
    const altered = `${(a as string).slice(0, -4)}AAAA`
    const rows = [rowOf(1, [altered, b!, 'rs1.broken']), rowOf(2, [cut, null, null])]
    const { changes, bad } = await reencrypt(target, rows, await staleKeysOf(target))
    expect(changes.map(({ row, next }) => [row, next[0], next[1] === null])).toStrictEqual([
      [0, null, false],
    ])
    expect(bad).toHaveLength(3)
    expect(bad).toStrictEqual(
      expect.arrayContaining([
        { row: 0, field: 'text', code: 'ERR_ENVELOPE_AUTH' },
        { row: 0, field: 'bound', code: 'ERR_ENVELOPE_MALFORMED' },
        { row: 1, field: 'text', code: 'ERR_ENVELOPE_MALFORMED' },
      ]),
    )
  })
})

test('values of a keyring that nothing is stale in stay, and a key that is not there is named', async () => {
  const [a, , c] = await sealed(fields, ['a', null, 'c'], ['7'])
  const unknown = (a as string).replace(/^rs1\.\w{8}/, 'rs1.00000077')
  const stale = new Map([[fields[0]!.values, new Set([0x77])]])
  const { changes, bad } = await reencrypt(targetOf(fields), [rowOf(1, [unknown, null, c!])], stale)
  expect(changes).toStrictEqual([])
  expect(bad).toStrictEqual([{ row: 0, field: 'text', code: 'ERR_KEY_UNKNOWN' }])
})

test('bound values are moved beside others of their keyring', async () => {
  const values = single(keyring)
  const mixed = [fieldOf('text', keyring, { values }), fieldOf('bound', keyring, { values, isBound: true })] // prettier-ignore
  const row = rowOf(1, await sealed(mixed, ['a', 'b'], ['7']), ['7'])
  await rotate(keyring)
  const target = targetOf(mixed)
  const { changes, bad } = await reencrypt(target, [row], await staleKeysOf(target))
  expect(bad).toStrictEqual([])
  fields = mixed
  expect(await plaintexts(changes[0]!.next as ColumnScalar[])).toStrictEqual(['a', 'b'])
})

test('bound values are moved with what they are bound to, and not without', async () => {
  const [, , c] = await sealed(fields, [null, null, 'c'], ['7'])
  await rotate(other)
  const target = targetOf(fields)
  const rows = [rowOf(1, [null, null, c!], ['7']), rowOf(2, [null, null, c!], ['8']), rowOf(3, [null, null, c!], [null])] // prettier-ignore
  const { changes, bad } = await reencrypt(target, rows, await staleKeysOf(target))
  expect(changes.map(({ row }) => row)).toStrictEqual([0])
  expect(await plaintexts([null as never, null as never, changes[0]!.next[2] as string])).toStrictEqual(['c']) // prettier-ignore
  const code = 'ERR_ENVELOPE_AUTH'
  expect([...bad].sort((a, b) => a.row - b.row)).toStrictEqual([{ row: 1, field: 'bound', code }, { row: 2, field: 'bound', code }]) // prettier-ignore
})

test('changes are taken apart by field', () => {
  const { split, fieldOf } = partsOf(['a', 'b', 'c'])
  const change = { row: 3, key: ['1'], old: ['x', null, 'z'], next: ['X', null, 'Z'] }
  const parts = split(change)
  expect(parts).toStrictEqual([
    { row: 3, key: ['1'], old: ['x', null, null], next: ['X', null, null] },
    { row: 3, key: ['1'], old: [null, null, 'z'], next: [null, null, 'Z'] },
  ])
  expect(parts.map(fieldOf)).toStrictEqual(['a', 'c'])
})

test('changes are in the order of the rows, whatever the order of the values', () => {
  const rows = [rowOf(1, ['a', 'b']), rowOf(2, ['c', ['d', 'e']])]
  const site = (row: number, field: number, element = 0) => ({ row, field, element })
  const changes = swapRows(fields.slice(0, 2), rows, [
    { site: site(1, 1, 1), value: 'E' },
    { site: site(0, 0), value: 'A' },
    { site: site(1, 1), value: 'D' },
  ])
  expect(changes).toStrictEqual([
    { row: 0, key: ['1'], next: ['A', null], old: ['a', null] },
    { row: 1, key: ['2'], next: [null, ['D', 'E']], old: [null, ['d', 'e']] },
  ])
  expect(
    sealedFields(fields, 'sealed').map(({ places, becomes, next }) => [
      places,
      becomes,
      next(changes[0] as never),
    ]),
  ).toStrictEqual([
    // prettier-ignore
    [[0], 'sealed', ['A']],
    [[1], 'sealed', null],
    [[2], 'sealed', null],
  ])
})

test('a value whose key no keyring has is the operator’s to see', () => {
  const field = { ...fields[0]!, values: { holder: () => null } as never }
  expect(() => holderOf(field, 5)).toThrow(TypeError)
  expect(holderOf(fields[0]!, 5)).toBe(keyring)
})
