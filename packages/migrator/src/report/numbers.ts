export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** A time for people, as long as it must be. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 90_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
  if (ms < 5_400_000) return `${(ms / 60_000).toFixed(ms < 600_000 ? 1 : 0)} min`
  return `${(ms / 3_600_000).toFixed(1)} h`
}
