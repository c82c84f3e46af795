/** Seconds that each step took, by name, in the order they were taken. */
export interface Stopwatch {
  time<T>(name: string, action: () => Promise<T>): Promise<T>
  seconds(): Record<string, number>
}

export function createStopwatch(): Stopwatch {
  const startedMs = performance.now()
  const steps: Record<string, number> = {}
  const since = (ms: number): number => Math.round(performance.now() - ms) / 1000
  return {
    async time(name, action) {
      const stepMs = performance.now()
      try {
        return await action()
      } finally {
        steps[name] = since(stepMs)
      }
    },
    seconds: () => ({ ...steps, total: since(startedMs) }),
  }
}
