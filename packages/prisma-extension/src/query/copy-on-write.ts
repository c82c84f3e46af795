import { isArguments } from './refuse.ts'
import { isAbsent, type PlainObject } from './special.ts'

/** Walks give back what they were given where nothing changes, and copy only the objects on the way. */

/** Map a value or a list, giving back the same list when nothing changed. */
export function mapSame(value: unknown, map: (item: unknown) => unknown): unknown {
  if (!Array.isArray(value)) return map(value)
  let out: unknown[] | null = null
  for (let i = 0; i < value.length; i++) {
    const item = map(value[i])
    if (item !== value[i]) (out ??= [...(value as unknown[])])[i] = item
  }
  return out ?? value
}

/** Replace one property, giving back the same object when it did not change. */
export function replace(value: unknown, key: string, map: (inner: unknown) => unknown): unknown {
  if (!isArguments(value) || isAbsent(value[key])) return value
  const inner = map(value[key])
  return inner === value[key] ? value : { ...value, [key]: inner }
}

/** An object being rewritten: the given one until something changes. */
export class Rewriting {
  readonly #given: PlainObject
  #out: PlainObject
  readonly #further: PlainObject[] = []

  constructor(given: PlainObject) {
    this.#given = given
    this.#out = given
  }

  /** Take it once all is said: what was joined with `and` comes last. */
  get result(): PlainObject {
    if (this.#further.length === 0) return this.#out
    const given = this.#out['AND']
    const others = isAbsent(given) ? [] : Array.isArray(given) ? (given as unknown[]) : [given]
    return { ...this.#out, AND: [...others, ...this.#further] }
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#out, key)
  }

  set(key: string, value: unknown): void {
    if (this.#out[key] !== value) this.#copy()[key] = value
  }

  remove(key: string): void {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- a copy of ours
    delete this.#copy()[key]
  }

  /** A condition that must hold beside those that are there. */
  and(key: string, condition: unknown): void {
    if (this.has(key)) this.#further.push({ [key]: condition })
    else this.#copy()[key] = condition
  }

  #copy(): PlainObject {
    if (this.#out === this.#given) this.#out = { ...this.#given }
    return this.#out
  }
}
