import type { Refusable } from './declared.ts'

/**
 * Stand-ins in generated arguments for what cannot be generated: each twin has a client of its own, and a
 * failure prints them as code.
 */

/** What a stand-in is made into. */
export interface Side {
  readonly isSealed: boolean
  readonly Prisma: any
  /** The client, for references to fields. */
  readonly client: any
  /** `undefined` is an error, and `Prisma.skip` in its place. */
  readonly isStrict: boolean
}

export class Special {
  readonly code: string
  readonly of: (side: Side) => unknown
  constructor(code: string, of: (side: Side) => unknown) {
    this.code = code
    this.of = of
  }
}

/** A clause that Rowseal may refuse. Everything else it must answer. */
export class Marked {
  readonly clause: Refusable
  readonly value: unknown
  constructor(clause: Refusable, value: unknown) {
    this.clause = clause
    this.value = value
  }
}

/** A clause that the plain twin must be asked in other words, for a difference that is declared. */
export class Differing {
  readonly sealed: unknown
  readonly plain: unknown
  constructor(sealed: unknown, plain: unknown) {
    this.sealed = sealed
    this.plain = plain
  }
}

const nulls = (name: 'DbNull' | 'JsonNull' | 'AnyNull'): Special =>
  new Special(`Prisma.${name}`, ({ Prisma }) => Prisma[name])

export const DB_NULL = nulls('DbNull')
export const JSON_NULL = nulls('JsonNull')
export const ANY_NULL = nulls('AnyNull')
export const UNDEFINED = new Special('undefined', () => undefined)
/** "Not given", in the way of the client. */
export const ABSENT = new Special('absent', ({ Prisma, isStrict }) =>
  isStrict ? Prisma.skip : undefined,
)

export const decimal = (text: string): Special =>
  new Special(`new Prisma.Decimal('${text}')`, ({ Prisma }) => new Prisma.Decimal(text))

export const fieldOf = (delegate: string, name: string): Special =>
  new Special(`prisma.${delegate}.fields.${name}`, ({ client }) => client[delegate].fields[name])

/** A long text, made when it is needed. */
export const repeated = (text: string, count: number): Special =>
  new Special(`'${text}'.repeat(${count})`, () => text.repeat(count))

export const manyBytes = (byte: number, count: number): Special =>
  new Special(`new Uint8Array(${count}).fill(${byte})`, () => new Uint8Array(count).fill(byte))

/** A clause that was met, and the names that stand at and around it. */
export interface Mark {
  readonly clause: Refusable
  readonly names: string
}

/** Arguments as a client takes them, new objects throughout. `marks` collects the clauses that were met. */
export function materialise(value: unknown, side: Side, marks: Mark[] = [], path = ''): unknown {
  if (value instanceof Special) return value.of(side)
  if (value instanceof Marked) {
    marks.push({ clause: value.clause, names: `${path} ${codeOf(value.value)}` })
    return materialise(value.value, side, marks, path)
  }
  if (value instanceof Differing) {
    return materialise(side.isSealed ? value.sealed : value.plain, side, marks, path)
  }
  if (Array.isArray(value)) return value.map((item) => materialise(item, side, marks, path))
  if (value instanceof Uint8Array) return new Uint8Array(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const out: Record<string, unknown> = {}
  for (const [key, inner] of Object.entries(value)) {
    out[key] = materialise(inner, side, marks, `${path} ${key}`)
  }
  return out
}

/** Generated arguments as code. */
export function codeOf(value: unknown): string {
  if (value instanceof Special) return value.code
  if (value instanceof Marked) return `${codeOf(value.value)} /* ${value.clause} */`
  if (value instanceof Differing) {
    return `${codeOf(value.sealed)} /* plain: ${codeOf(value.plain)} */`
  }
  if (Array.isArray(value)) return `[${value.map(codeOf).join(', ')}]`
  if (value instanceof Uint8Array) return `new Uint8Array([${[...value].join(', ')}])`
  if (value instanceof Date) return `new Date('${value.toISOString()}')`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null) return String(value)
  const entries = Object.entries(value).map(
    ([key, inner]) => `${/^[A-Za-z_]\w*$/.test(key) ? key : quote(key)}: ${codeOf(inner)}`,
  )
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`
}

function quote(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll("'", "\\'")
    .replaceAll('\n', '\\n')
    .replace(/[\u0000\ud800-\udfff\u0300-\u036f]/g, (unit, at: number) =>
      text.codePointAt(at)! > 0xffff || isLow(text, at)
        ? unit
        : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  return `'${escaped}'`
}

const isLow = (text: string, at: number): boolean => at > 0 && text.codePointAt(at - 1)! > 0xffff
