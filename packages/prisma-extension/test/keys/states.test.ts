import { describe, expect, test } from 'vitest'
import { assertLegal, isKeyState, PERMITTED, TRANSITIONS } from '../../src/keys/states.ts'
import type { KeyState, KeyTransition } from '../../src/keys/types.ts'

const states = Object.keys(PERMITTED) as KeyState[]
const change = (activeKeyId: number, ...transitions: KeyTransition[]): void => {
  assertLegal({ keyring: 'k', expectedRevision: 1, activeKeyId, transitions, at: new Date() })
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
  })

  test.each<[string, number, KeyTransition[]]>([
    ['leaves no active version', 1, [{ keyId: 1, from: 'active', to: 'suspended' }]],
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

  test('that the table lacks is refused, with what is possible instead', () => {
    expect(() => change(1, { keyId: 2, from: 'destroyed', to: 'suspended' })).toThrow(
      /no other state/,
    )
    expect(() => change(1, { keyId: 2, from: 'deactivated', to: 'active' })).toThrow(
      /compromised or destroyed/,
    )
  })
})
