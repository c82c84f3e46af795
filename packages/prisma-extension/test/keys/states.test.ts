import { describe, expect, test } from 'vitest'
import { assertLegal, isKeyState, PERMITTED, TRANSITIONS } from '../../src/keys/lifecycle/states.ts'
import type { KeyringSnapshot, KeyState } from '../../src/keys/types.ts'
import { rowOf, writeOf } from './support.ts'

const states = Object.keys(PERMITTED) as KeyState[]

interface Step {
  readonly keyId: number
  readonly from: KeyState | null
  readonly to: KeyState
  readonly destroyAt?: Date
}

/** A change of a keyring whose key 1 is active. */
function change(activeKeyId: number, ...steps: Step[]): void {
  const rows = steps.map(({ keyId, to, destroyAt = null }) =>
    rowOf(keyId, { keyring: 'k', version: keyId, state: to, destroyAt }),
  )
  const before = writeOf(null, { rows: [rowOf(1, { keyring: 'k' })] })
  const snapshot: KeyringSnapshot = { head: before.head, keys: before.rows.map(({ row }) => row) }
  const made = writeOf(snapshot, { activeKeyId, rows })
  const froms = made.rows.map((write, i) => ({ ...write, from: steps[i]!.from }))
  assertLegal({ ...made, rows: froms })
}
const refused = expect.objectContaining({ code: 'ERR_KEY_STATE' })

describe('key states', () => {
  test('let only the active version seal, and all but the destroyed open', () => {
    expect(states.filter((state) => PERMITTED[state].protect)).toEqual(['active'])
    expect(states.filter((state) => !PERMITTED[state].process)).toEqual(['destroyed'])
  })

  test('are all in the transition table, each arrow with a reason', () => {
    expect(Object.keys(TRANSITIONS)).toEqual(states)
    for (const from of states) {
      for (const [to, reason] of Object.entries(TRANSITIONS[from])) {
        expect(states).toContain(to)
        expect(reason.length).toBeGreaterThan(10)
      }
    }
  })

  test('never lead back from deactivated, compromised or destroyed to sealing', () => {
    const reach = (from: KeyState, seen: KeyState[] = []): KeyState[] =>
      (Object.keys(TRANSITIONS[from]) as KeyState[]).reduce(
        (all, to) => (all.includes(to) ? all : reach(to, [...all, to])),
        seen,
      )
    for (const from of ['deactivated', 'compromised', 'destroyed'] as const) {
      expect(reach(from)).not.toContain('active')
    }
    expect(reach('destroyed')).toEqual([])
  })

  test('are told from other words', () => {
    for (const word of ['', 'Active', 'toString', 'constructor', null, 1]) {
      expect(isKeyState(word)).toBe(false)
    }
    expect(isKeyState('pre-activation')).toBe(true)
  })
})

describe('a change', () => {
  test('may swap the active version', () => {
    change(
      2,
      { keyId: 1, from: 'active', to: 'suspended' },
      { keyId: 2, from: 'suspended', to: 'active' },
    )
    change(
      2,
      { keyId: 1, from: 'active', to: 'compromised' },
      { keyId: 2, from: 'pre-activation', to: 'active' },
    )
    change(1, { keyId: 2, from: 'suspended', to: 'deactivated' })
    change(1, { keyId: 2, from: null, to: 'pre-activation' })
    change(1, { keyId: 2, from: 'deactivated', to: 'deactivated', destroyAt: new Date() })
  })

  test('may close a keyring, and open it again with another version', () => {
    change(1, { keyId: 1, from: 'active', to: 'deactivated' })
    change(1, { keyId: 1, from: 'deactivated', to: 'deactivated', destroyAt: new Date() })
    change(1, { keyId: 1, from: 'deactivated', to: 'compromised' })
    change(1, { keyId: 1, from: 'compromised', to: 'destroyed' })
    change(
      2,
      { keyId: 1, from: 'deactivated', to: 'deactivated' },
      { keyId: 2, from: 'pre-activation', to: 'active' },
    )
  })

  test.each<[string, Step]>([
    ['a new version that is active at once', { keyId: 2, from: null, to: 'active' }],
    ['a new version of another state', { keyId: 2, from: null, to: 'suspended' }],
    [
      'an end of a version that may still seal again',
      { keyId: 2, from: 'suspended', to: 'suspended', destroyAt: new Date() },
    ],
  ])('refuses %s', (_, step) => {
    expect(() => change(1, step)).toThrow(refused)
  })

  test('refuses to delete the KEK of a version that is not destroyed', () => {
    const rows = [rowOf(2, { version: 2, state: 'deactivated', wrappedKek: new Uint8Array() })]
    const before = writeOf(null, { rows: [rowOf(1)] })
    const made = writeOf({ head: before.head, keys: [rowOf(1)] }, { rows })
    const write = {
      ...made,
      rows: made.rows.map((row) => ({ ...row, from: 'deactivated' as const })),
    }
    expect(() => assertLegal(write)).toThrow(refused)
  })

  test.each<[string, number, Step[]]>([
    ['leaves no active version', 1, [{ keyId: 1, from: 'active', to: 'suspended' }]],
    ['leaves one that leaked at the head', 1, [{ keyId: 1, from: 'active', to: 'compromised' }]],
    [
      'makes a version active beside the head',
      1,
      [{ keyId: 2, from: 'pre-activation', to: 'active' }],
    ],
    [
      'leaves the former version active',
      2,
      [
        { keyId: 1, from: 'active', to: 'active' },
        { keyId: 2, from: 'pre-activation', to: 'active' },
      ],
    ],
    [
      'makes two versions active',
      2,
      [
        { keyId: 1, from: 'active', to: 'suspended' },
        { keyId: 2, from: 'pre-activation', to: 'active' },
        { keyId: 3, from: 'suspended', to: 'active' },
      ],
    ],
    [
      'leaves a closed keyring with a head that is active',
      2,
      [{ keyId: 2, from: 'pre-activation', to: 'active' }],
    ],
    ['makes a second active version', 2, [{ keyId: 2, from: 'suspended', to: 'active' }]],
    [
      'names another head than the active one',
      3,
      [
        { keyId: 1, from: 'active', to: 'suspended' },
        { keyId: 2, from: 'suspended', to: 'active' },
      ],
    ],
    [
      'moves one key twice',
      2,
      [
        { keyId: 2, from: 'active', to: 'suspended' },
        { keyId: 2, from: 'suspended', to: 'active' },
      ],
    ],
  ])('that %s is refused', (_, activeKeyId, transitions) => {
    expect(() => change(activeKeyId, ...transitions)).toThrow(refused)
  })

  test.each<[string, object]>([
    ['another keyring', { keyring: 'other' }],
    ['a KEK that should be gone', { state: 'destroyed', wrappedKek: new Uint8Array(60) }],
    ['no KEK', { wrappedKek: new Uint8Array() }],
    ['an end', { destroyAt: new Date() }],
  ])('of a row with %s is refused', (_, part) => {
    const before = writeOf(null, { rows: [rowOf(1)] })
    const snapshot: KeyringSnapshot = { head: before.head, keys: [rowOf(1)] }
    const row = { ...rowOf(2, { version: 2, state: 'suspended' }), ...part }
    const write = { ...writeOf(snapshot, { rows: [row] }), keyring: 'default' }
    const rows = [
      { from: 'state' in part ? ('deactivated' as const) : ('suspended' as const), row },
    ]
    expect(() => assertLegal({ ...write, rows })).toThrow(refused)
  })

  test('of a keyring that does not exist begins with one active version', () => {
    const first = writeOf(null, { rows: [rowOf(1)] })
    expect(() => assertLegal(first)).not.toThrow()
    expect(() => assertLegal({ ...first, expectedRevision: 1 })).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('cannot begin as active'),
        fix: expect.stringContaining('begins in pre-activation'),
      }),
    )
  })

  test('says from where to where it cannot lead, and what would', () => {
    const refusals: [Step, string, string][] = [
      [{ keyId: 2, from: 'suspended', to: 'destroyed' }, 'from suspended to destroyed', 'active or deactivated or compromised'], // prettier-ignore
      [{ keyId: 2, from: 'destroyed', to: 'active' }, 'from destroyed to active', 'no other state'],
    ]
    for (const [step, message, fix] of refusals)
      expect(() => change(1, step)).toThrow(
        expect.objectContaining({
          message: expect.stringContaining(message),
          fix: expect.stringContaining(fix),
        }),
      )
    expect(() => change(1, { keyId: 1, from: 'active', to: 'suspended' })).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('Name the successor') }),
    )
    const open = { keyId: 2, from: 'suspended', to: 'suspended', destroyAt: new Date() } as const
    expect(() => change(1, open)).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('Only a destroyed key') }),
    )
  })

  test('that the table lacks is refused, with what is possible instead', () => {
    expect(() => change(1, { keyId: 2, from: 'destroyed', to: 'suspended' })).toThrow(
      /no other state/,
    )
    expect(() => change(1, { keyId: 2, from: 'deactivated', to: 'active' })).toThrow(
      /compromised or destroyed/,
    )
  })
})
