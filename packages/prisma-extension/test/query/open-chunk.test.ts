import { describe, expect, test } from 'vitest'
import type { Envelope } from '../../src/envelope/index.ts'
import { EnvelopeError, KeyError } from '../../src/errors.ts'
import type { FieldKeyring } from '../../src/keys/index.ts'
import type { FieldPlan, ModelPlan } from '../../src/query/index.ts'
import { Chunk, located } from '../../src/query/open-chunk.ts'
import { RecordSlots } from '../../src/query/sites.ts'

const ring = (name: string): FieldKeyring => ({ name }) as FieldKeyring
const [one, two, three] = [ring('one'), ring('two'), ring('three')]

describe('the keys of a chunk', () => {
  const envelope = (part: object): Envelope =>
    ({ keyId: 1, suite: 2, wrapped: Uint8Array.of(1, 2, 3), ...part }) as Envelope

  test('are asked for once while nothing of them differs', () => {
    const chunk = new Chunk()
    const slots = [
      {},
      { wrapped: Uint8Array.of(1, 2, 3) },
      { keyId: 2 },
      { suite: 1 },
      { wrapped: Uint8Array.of(1, 2) },
      { wrapped: Uint8Array.of(1, 2, 3) },
      { wrapped: Uint8Array.of(1, 2, 4) },
      { wrapped: Uint8Array.of(0, 2, 4) },
    ].map((part) => chunk.slot(one, envelope(part)))
    expect(slots).toEqual([0, 0, 1, 2, 3, 4, 5, 6])
    expect([chunk.slot(two, envelope({})), chunk.isFull]).toEqual([0, false])
    expect([...chunk.wanted].map(([{ name }, { length }]) => [name, length])).toEqual([
      ['one', 7],
      ['two', 1],
    ])
  })
})

test('the DEKs of a record are one of each keyring, numbered by it', () => {
  const counts = new Map([
    [one, 10],
    [two, 20],
    [three, 30],
  ])
  const next = (keyring: FieldKeyring): number => {
    const count = counts.get(keyring)!
    counts.set(keyring, count + 1)
    return count
  }
  const slots = new RecordSlots()
  const asked = [one, two, one, three, two, three, one].map((keyring) => slots.slot(keyring, next))
  expect(asked).toEqual([10, 20, 10, 30, 20, 30, 10])
  expect(new RecordSlots().slot(two, next)).toBe(21)
})

describe('the error of one value', () => {
  const place = (row: object) => ({
    field: { label: 'User.email' } as FieldPlan,
    model: { source: { key: ['tenant', 'id'] } } as unknown as ModelPlan,
    row: row as Record<string, unknown>,
  })
  const auth = new EnvelopeError('ERR_ENVELOPE_AUTH', 'It does not open.', { fix: 'Look.' })

  test('names field and record, as far as its key was selected', () => {
    const at = (row: object): string => (located(auth, place(row)) as Error).message
    expect(at({ tenant: 1, id: 2 })).toMatch(
      /^User\.email \(tenant 1, id 2\) holds a value that does/,
    )
    expect(at({ id: 2 })).toMatch(/^User\.email \(id 2\) holds/)
    expect(at({ email: 'x' })).toMatch(/^User\.email holds/)
    expect(at(Object.create({ id: 2 }) as object)).toMatch(/^User\.email holds/)
  })

  test('says what to do for each kind', () => {
    for (const [code, fix] of [
      ['ERR_PLAINTEXT_REFUSED', 'plaintext: allow'],
      ['ERR_ENVELOPE_MALFORMED', 'npx rowseal verify'],
      ['ERR_ENVELOPE_AUTH', 'npx rowseal verify'],
    ] as const)
      expect(located(new EnvelopeError(code, 'm', { fix: 'f' }), place({}))).toMatchObject({
        code,
        field: 'User.email',
        fix: expect.stringContaining(fix),
      })
    const other = new EnvelopeError('ERR_LATER' as never, 'is odd.', { fix: 'Look.' })
    expect(located(other, place({}))).toMatchObject({ fix: 'Look.', code: 'ERR_LATER' })
    expect((located(other, place({})) as Error).message).toContain('User.email is odd.')
  })

  test('of a key keeps its code and says its fix once', () => {
    const error = new KeyError('ERR_KEY_UNKNOWN', 'No key.', { fix: 'Wait.', retryable: true })
    const told = located(error, place({ id: 7 })) as KeyError
    expect(told).toBeInstanceOf(KeyError)
    expect([told.message, told.retryable, told.field]).toEqual([
      'User.email (id 7): No key. Wait.',
      true,
      'User.email',
    ])
    const odd = Object.assign(new KeyError('ERR_KEY_UNKNOWN', 'x', { fix: 'Wait.' }), { message: 'Gone' }) // prettier-ignore
    expect((located(odd, place({})) as Error).message).toBe('User.email: Gone Wait.')
  })

  test('that is of the application stays as it is', () => {
    const mine = new TypeError('mine')
    expect(located(mine, place({}))).toBe(mine)
  })
})
