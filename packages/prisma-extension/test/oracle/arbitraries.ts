import fc from 'fast-check'

/** Parts that all generators are made of. */

/** Generated arguments, or a part of them. */
export type Arguments = Record<string, unknown>
export type Args = fc.Arbitrary<Arguments>

/** All of them in one object. */
export const merged = (...parts: readonly Args[]): Args =>
  fc.tuple(...parts).map((values) => Object.assign({}, ...values) as Arguments)

/** `{ [key]: value }` */
export const under = (key: string, value: fc.Arbitrary<unknown>): Args =>
  value.map((value) => ({ [key]: value }))

/** Nothing, more often than not: `times` out of ten something. */
export const sometimes = (times: number, value: Args): Args =>
  fc.oneof({ weight: 10 - times, arbitrary: fc.constant({}) }, { weight: times, arbitrary: value })

/** Up to `max` of a list, in its order. */
export const someOf = <T>(list: readonly T[], min: number, max: number): fc.Arbitrary<T[]> =>
  fc.subarray([...list], {
    minLength: Math.min(min, list.length),
    maxLength: Math.min(max, list.length),
  })

/** `{ a: true, b: true }` of up to `max` names. */
export const flags = (names: readonly string[], max: number): Args =>
  someOf(names, 1, max).map((chosen) => Object.fromEntries(chosen.map((name) => [name, true])))

export const without = (name: string, args: Args): Args =>
  args.map((value) => Object.fromEntries(Object.entries(value).filter(([key]) => key !== name)))

/**
 * Made once for the same parts (by identity; a list counts as its items): generators are large, and a `chain` would
 * make them anew for each value. They hold nothing of what they generated, so each may stand in many places.
 */
export function shared<P extends readonly unknown[], A>(
  make: (...parts: P) => A,
): (...parts: P) => A {
  interface Node {
    readonly next: Map<unknown, Node>
    made?: A
  }
  const root: Node = { next: new Map() }
  return (...parts) => {
    let node = root
    for (const part of parts.flat()) {
      let next = node.next.get(part)
      if (next === undefined) node.next.set(part, (next = { next: new Map() }))
      node = next
    }
    return (node.made ??= make(...parts))
  }
}
