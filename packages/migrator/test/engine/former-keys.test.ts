import type { Keyring } from '@rowseal/prisma-extension'
import { compromiseKey, rotate } from '@rowseal/prisma-extension/keys'
import { beforeEach, describe, expect, test } from 'vitest'
import { destroyedOf, isDestroyed, unreadableOf, withDestroyed } from '../../src/drain/destroyed.ts'
import { LEAVES_NOTHING_STALE } from '../../src/drain/direction.ts'
import { withDrained } from '../../src/drain/drained.ts'
import { fenceOf } from '../../src/drain/fence.ts'
import { staleKeysOf } from '../../src/drain/stale-keys.ts'
import { drainStrategy, staleWhere } from '../../src/drain/strategy.ts'
import type { TargetField } from '../../src/targets.ts'
import { Waits } from '../../src/waits.ts'
import { freshFields, targetOf } from './fields.ts'

// Which keys values are to leave, which they have left, and which do not open any more.

let keyring: Keyring
let other: Keyring
let fields: TargetField[]
beforeEach(async () => {
  ;({ keyring, other, fields } = await freshFields())
})

test('a strategy looks for the stale keys of each keyring', async () => {
  const [former, formerOther] = [keyring.activeKeyId!, other.activeKeyId!]
  await rotate(other)
  await rotate(keyring)
  const table = { provider: 'sqlite', name: '"Note"', sealed: fields.map(({ column }) => column) }
  const columns = fields.map((field) => ({
    ...field,
    column: { ...field.column, name: `"${field.name}"`, kind: field.spec.type === 'Bytes' ? 'bytes' : 'text', list: false }, // prettier-ignore
  }))
  const target = { ...targetOf(columns as never), table } as never
  const stale = await staleKeysOf(target)
  expect([...stale.values()].map((ids) => [...ids])).toStrictEqual([[former], [formerOther]])
  const lookups: never[] = []
  const strategy = drainStrategy(target, stale, lookups)
  const reversed = drainStrategy(target, new Map([...stale].reverse()), null)
  expect(reversed.target).toBe(strategy.target)
  expect(strategy.fields!.map(({ becomes }) => becomes)).toStrictEqual(fields.map(() => 'sealed'))
  const nothing = new Map([...stale.keys()].map((values) => [values, new Set<number>()]))
  expect(staleWhere(target, new Map())).toBe(staleWhere(target, nothing))
  expect(strategy.target).toBe(`drain ${[former, formerOther].sort((a, b) => a - b).join(' ')}`)
  expect(strategy.columns).toBe(table.sealed)
  expect(strategy.lookups).toBe(lookups)
  expect(strategy.where).toBe(staleWhere(target, stale))
  expect(strategy.where.split(' OR ').length).toBeGreaterThanOrEqual(3)
  for (const { column } of columns) expect(strategy.where).toContain(column.name)
  expect(strategy.fields!.map(({ field }) => field.name)).toStrictEqual(['text', 'scan', 'bound'])
  expect(strategy.parts!.fieldOf({ next: [null, 'x', null] } as never)).toBe('scan')
  expect(await strategy.prepare([])).toStrictEqual({ changes: [], bad: [] })
})

test('what is under a destroyed key is told by field', () => {
  const values = {
    open: () => [
      {
        name: 'k',
        keys: () => [
          { keyId: 1, state: 'destroyed' },
          { keyId: 2, state: 'active' },
        ],
      },
    ],
    isStale: (keyId: number) => keyId === 3,
  }
  const field = { ...fields[0]!, values: values as never }
  const another = { ...field, name: 'another', label: 'Note.another' }
  expect(destroyedOf(field.values)).toStrictEqual([{ keyring: 'k', keyId: 1 }])
  expect([1, 2, 3].map((keyId) => isDestroyed(field.values, keyId))).toStrictEqual([true, false, false]) // prettier-ignore
  expect([...withDestroyed(new Map([[field.values, new Set([9])]])).get(field.values)!]).toStrictEqual([9, 1]) // prettier-ignore
  const versions = [
    { keyId: 1, count: 5 },
    { keyId: 2, count: 6 },
  ]
  const models = [
    {
      model: 'Note',
      fields: [
        { field: 'text', versions },
        { field: 'gone', versions },
      ],
    },
    { model: 'Other', fields: [{ field: 'text', versions }] },
  ]
  expect(
    unreadableOf([{ ...targetOf([]), model: 'First' }, targetOf([another, field])], models),
  ).toStrictEqual([{ field: 'Note.text', keyring: 'k', keyId: 1, count: 5 }])
  const { isLeft, isPlaintextLeft } = LEAVES_NOTHING_STALE
  expect([1, 2, 3].map((keyId) => isLeft(field, keyId))).toStrictEqual([true, false, true])
  expect(isPlaintextLeft).toBe(false)
})

describe('a whole run', () => {
  const ran = (outcome: string): never =>
    ({ report: { outcome }, targets: [targetOf(fields)] }) as never

  test('that is done names the former keys that nothing is under any more', async () => {
    const first = keyring.activeKeyId
    await rotate(keyring)
    const second = keyring.activeKeyId!
    await rotate(keyring)
    await compromiseKey(keyring, second)
    const { drained } = withDrained(ran('done'), {})
    expect(drained).toStrictEqual([
      { keyring: keyring.name, keyId: first, state: 'suspended' },
      { keyring: keyring.name, keyId: second, state: 'compromised' },
    ])
    for (const [outcome, options] of [
      ['incomplete', {}],
      ['done', { models: ['Note'] }],
      ['done', { shard: { index: 1, of: 2 } }],
    ] as const)
      expect(withDrained(ran(outcome), options).drained).toStrictEqual([])
  })

  test('names no key that is in use, or that is at its end', () => {
    const row = (keyId: number, state: string) => ({ keyring: 'k', keyId, state })
    const rows = [row(1, 'suspended'), row(2, 'suspended'), row(3, 'deactivated'), row(4, 'active')]
    const values = { keys: () => rows, isStale: (keyId: number) => keyId % 2 === 1 } as never
    const targets = [targetOf([{ ...fields[0]!, values }])]
    expect(withDrained({ report: { outcome: 'done' }, targets } as never, {}).drained).toStrictEqual([rows[0]]) // prettier-ignore
  })

  test('waits for instances that may still seal under a former key, and for no others', async () => {
    const target = targetOf(fields)
    expect(fenceOf(target, new Waits(), 5_000)).toBe(0)
    await rotate(keyring)
    const waits = new Waits()
    const ms = fenceOf(target, waits, 5_000)
    expect(waits.knows(`${keyring.name} ${keyring.activeKeyId}`)).toBe(true)
    expect(waits.knows(`${other.name} ${other.activeKeyId}`)).toBe(false)
    // A sum of fractions of milliseconds, rounded up.
    expect([0, 1]).toContain(ms - keyring.index.maxAgeMs - 5_000)
    const long = fenceOf(target, new Waits(), 3_600_000)
    expect(long).toBeGreaterThan(3_500_000)
  })
})
