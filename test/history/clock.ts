/** Days to a moment at which a key may be destroyed for good that is scheduled to be. */
export const DESTROY_WAIT_DAYS = 7

const DAY_MS = 86_400_000

/** Do something when so many days have gone by, as the wall clock of this process has it. See `skewed-clock.mjs`. */
export async function inDays<T>(days: number, act: () => Promise<T>): Promise<T> {
  const clock = (globalThis as any)[Symbol.for('rowseal.history.clock')] as { extraMs: number }
  clock.extraMs = days * DAY_MS
  try {
    return await act()
  } finally {
    clock.extraMs = 0
  }
}
