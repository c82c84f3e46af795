import { expect, it } from 'vitest'
import { Interruption } from '../src/cli/signals.ts'

it('takes what comes right behind a signal for the same, and a later one for the second', () => {
  let now = 0
  const ends: number[] = []
  const interruption = new Interruption(
    () => now,
    (code) => ends.push(code),
  )
  const press = (at: number): void => {
    now = at
    process.emit('SIGINT')
  }
  try {
    press(1_000)
    expect([interruption.signal.aborted, interruption.exitCode]).toEqual([true, 130])
    press(1_010)
    expect(ends).toEqual([])
    press(2_000)
    expect(ends).toEqual([130])
  } finally {
    interruption.release()
  }
})
