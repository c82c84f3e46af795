/** What the pace goes by. Tests bring their own. */
export interface PaceClock {
  /** Milliseconds since any fixed moment. Never goes back. */
  now(): number
  /** Wait. @returns false if one of the signals said to stop before. */
  sleep(ms: number, signals: readonly AbortSignal[]): Promise<boolean>
}

export const SYSTEM_CLOCK: PaceClock = { now: () => performance.now(), sleep }

/** Leaves nothing behind on a signal that lives as long as the run, as AbortSignal.any would. */
function sleep(ms: number, signals: readonly AbortSignal[]): Promise<boolean> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve(false)
  return new Promise((resolve) => {
    const end = (isWhole: boolean): void => {
      clearTimeout(timer)
      for (const signal of signals) signal.removeEventListener('abort', stop)
      resolve(isWhole)
    }
    const stop = (): void => end(false)
    const timer = setTimeout(() => end(true), ms)
    for (const signal of signals) signal.addEventListener('abort', stop)
  })
}
