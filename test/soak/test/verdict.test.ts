import { expect, it } from 'vitest'
import { trendOf } from '../trend.ts'
import { verdictOf, type Sample } from '../verdict.ts'

const MB = 1e6

/** A process that holds about the same all the time, with noise that comes again in each run of this test. */
const steady = (i: number): Sample => ({
  minutes: i / 3,
  heap: 40 * MB + 0.3 * MB * Math.sin(i * 2.4),
  external: 5 * MB + 0.1 * MB * Math.sin(i * 1.7),
  rss: 150 * MB + 3 * MB * Math.sin(i * 1.1),
  resources: 9 + (i % 3),
  files: 30 + (i % 3),
  connections: 8,
})

const hour = (change: (sample: Sample) => Partial<Sample> = () => ({})): Sample[] =>
  Array.from({ length: 180 }, (_, i) => ({ ...steady(i), ...change(steady(i)) }))

const complaints = (samples: readonly Sample[]): string[] => {
  const { growths, handles, holds } = verdictOf(samples, 10)
  const found = [...growths, ...handles].filter(({ isBounded }) => !isBounded)
  expect(holds).toBe(found.length === 0)
  return found.map(({ what }) => what)
}

it('a straight line has its slope and no error', () => {
  const trend = trendOf([1, 2, 3, 4].map((x) => [x, 7 - 2 * x] as const))
  expect(trend).toMatchObject({ points: 4, slope: -2, error: 0 })
})

it('a slope and its standard error are those of the textbook', () => {
  // y = 0.56 + 1.36 x; squares of what is left come to 0.432, those of x around its mean to 5.
  const { slope, error } = trendOf([
    [0, 0.8],
    [1, 1.8],
    [2, 2.8],
    [3, 5.0],
  ])
  expect(slope).toBeCloseTo(1.36, 10)
  expect(error).toBeCloseTo(Math.sqrt(0.432 / 2 / 5), 10)
})

it('points at one time have no trend, and two have one that nobody can be sure of', () => {
  expect(() =>
    trendOf([
      [1, 1],
      [1, 2],
    ]),
  ).toThrow(TypeError)
  expect(
    trendOf([
      [1, 1],
      [2, 2],
    ]),
  ).toMatchObject({ slope: 1, error: Infinity })
})

it('a process that holds about the same all the time passes', () => {
  expect(complaints(hour())).toEqual([])
})

it('what is taken during warm-up plays no part', () => {
  const warming = hour(({ minutes, heap }) => ({ heap: minutes < 10 ? minutes * 4 * MB : heap }))
  expect(complaints(warming)).toEqual([])
})

it.each(['heap', 'external'] as const)('5 MB of %s an hour are found under the noise', (what) => {
  expect(complaints(hour((s) => ({ [what]: s[what] + (s.minutes / 60) * 5 * MB })))).toEqual([what])
})

it('memory outside of the heap that is lost is found by the resident set', () => {
  expect(complaints(hour(({ rss, minutes }) => ({ rss: rss + minutes * 2 * MB })))).toEqual(['rss'])
})

it.each(['resources', 'files', 'connections'] as const)(
  'some %s that are opened every ten minutes and never closed are found',
  (what) => {
    const leaking = hour((s) => ({ [what]: s[what] + 3 * Math.floor(s.minutes / 10) }))
    expect(complaints(leaking)).toEqual([what])
  },
)

it('a run too short to tell says so', () => {
  expect(() => verdictOf(hour().slice(0, 33), 10)).toThrow(/too few/)
  expect(complaints(hour().slice(0, 42))).toContain('rss')
})
