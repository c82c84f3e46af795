import * as crypto from 'node:crypto'
import { createRequire, syncBuiltinESMExports } from 'node:module'

/** Annotations of three fields, a blind index, and models with nothing encrypted, related and not. */
export const SCHEMA = `
model Person {
  id      Int    @id
  /// @encrypted
  email   String
  /// @encrypted
  address String
  /// @encrypted
  notes   String
}
model Contact {
  id         Int     @id
  /// @encrypted
  email      String
  /// @blindIndex(email)
  emailIndex String? @unique
}
model Team {
  id      Int      @id
  name    String
  members Member[]
}
model Member {
  id     Int    @id
  teamId Int
  team   Team   @relation(fields: [teamId], references: [id])
  /// @encrypted
  email  String
  /// @encrypted
  notes  String
}
model Country {
  code String @id
  name String
}`

const COUNTED = [
  'createCipheriv',
  'createDecipheriv',
  'createSecretKey',
  'createHmac',
  'hkdfSync',
  'randomBytes',
] as const

export type CipherCalls = Readonly<Record<(typeof COUNTED)[number], number>>

/** Counts calls of `node:crypto`, which do what they always do. */
export class CryptoCounter {
  #counts = new Map<string, number>()
  readonly #original = new Map<string, unknown>()

  /** Begin to count, for every module of this process. */
  start(): void {
    const builtin = createRequire(import.meta.url)('node:crypto') as Record<string, unknown>
    for (const name of COUNTED) {
      const real = crypto[name] as (...args: unknown[]) => unknown
      this.#original.set(name, real)
      builtin[name] = (...args: unknown[]): unknown => {
        this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
        return real(...args)
      }
    }
    syncBuiltinESMExports()
  }

  stop(): void {
    const builtin = createRequire(import.meta.url)('node:crypto') as Record<string, unknown>
    for (const [name, real] of this.#original) builtin[name] = real
    syncBuiltinESMExports()
  }

  /** The calls that some work makes, those that are not zero. */
  async during(work: () => unknown): Promise<Partial<CipherCalls>> {
    this.#counts = new Map()
    await work()
    return Object.fromEntries(this.#counts)
  }
}

/** How many objects and arrays of one value are not the other's. */
export function newObjects(before: unknown, after: unknown): number {
  const known = new Set(objectsIn(before))
  return [...new Set(objectsIn(after))].filter((object) => !known.has(object)).length
}

function* objectsIn(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return
  yield value
  for (const inner of Object.values(value)) yield* objectsIn(inner)
}
