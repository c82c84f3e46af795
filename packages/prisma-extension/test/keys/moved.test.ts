import { describe, expect, test } from 'vitest'
import { endsIt, mayMatch, mayProcess, moved, PERMITTED } from '../../src/keys/lifecycle/states.ts'
import type { KeyState } from '../../src/keys/types.ts'
import { rowOf } from './support.ts'

describe('a version that moves', () => {
  const at = new Date(1_900_000_000_000)
  const later = new Date(1_900_000_000_001)
  const waiting = rowOf(2, { state: 'pre-activation', activatedAt: null })

  test('notes when it became active, first and last, and when it left that', () => {
    const active = moved(waiting, 'active', at)
    expect(active).toMatchObject({
      state: 'active',
      stateAt: at,
      activatedAt: at,
      suspendedAt: null,
    })
    const suspended = moved(active, 'suspended', later)
    expect(suspended).toMatchObject({ activatedAt: at, suspendedAt: later, stateAt: later })
    const again = moved(suspended, 'active', later)
    expect(again).toMatchObject({ activatedAt: at, suspendedAt: null })
    const end = new Date(1_900_000_000_002)
    expect(moved(suspended, 'deactivated', end)).toMatchObject({ suspendedAt: later, stateAt: end })
  })

  test('notes when it leaked, once, and keeps its KEK until it is destroyed', () => {
    const leaked = moved({ ...waiting, destroyAt: later }, 'compromised', at)
    expect(leaked).toMatchObject({ compromisedAt: at, activatedAt: null, suspendedAt: null })
    expect([leaked.wrappedKek.length, leaked.destroyAt]).toEqual([60, later])
    const gone = moved(leaked, 'destroyed', later)
    expect(gone).toMatchObject({ compromisedAt: at, destroyAt: null, stateAt: later })
    expect(gone.wrappedKek).toHaveLength(0)
    expect(moved(leaked, 'compromised', later).compromisedAt).toEqual(at)
    expect(moved(waiting, 'suspended', at).compromisedAt).toBeNull()
  })

  test('opens and matches nothing while its end is under way', () => {
    for (const may of [mayProcess, mayMatch]) {
      expect(may(rowOf(2, { state: 'compromised' }))).toBe(true)
      expect(may(rowOf(2, { state: 'compromised', destroyAt: at }))).toBe(false)
      expect(may(rowOf(2, { state: 'destroyed' }))).toBe(false)
    }
    expect((Object.keys(PERMITTED) as KeyState[]).filter(endsIt)).toEqual([
      'deactivated',
      'compromised',
      'destroyed',
    ])
  })
})
