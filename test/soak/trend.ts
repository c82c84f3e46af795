/** A straight line through points, by least squares. */
export interface Trend {
  readonly points: number
  /** Of y for each 1 of x. */
  readonly slope: number
  /** Standard error of the slope; Infinity for fewer than three points. */
  readonly error: number
}

/** @param points - x and y of each, at two values of x at least. */
export function trendOf(points: readonly (readonly [x: number, y: number])[]): Trend {
  const n = points.length
  const meanX = sum(points.map(([x]) => x)) / n
  const meanY = sum(points.map(([, y]) => y)) / n
  const spread = sum(points.map(([x]) => (x - meanX) ** 2))
  if (!(spread > 0)) throw new TypeError('A trend takes points at two times at least.')
  const slope = sum(points.map(([x, y]) => (x - meanX) * (y - meanY))) / spread
  const rest = sum(points.map(([x, y]) => (y - meanY - slope * (x - meanX)) ** 2))
  return { points: n, slope, error: n < 3 ? Infinity : Math.sqrt(rest / (n - 2) / spread) }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
