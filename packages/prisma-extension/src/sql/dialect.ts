import type { Provider } from '../plan/index.ts'

/** Quote an identifier: reserved words, mixed case and quotes inside it are fine. */
export function quote(provider: Provider, name: string): string {
  const mark = provider === 'mysql' ? '`' : '"'
  return mark + name.replaceAll(mark, mark + mark) + mark
}

/**
 * The name of a WITH below a statement about a table. A WITH hides tables of its name, so it is unlike the
 * table's.
 *
 * @param table - its name is quoted.
 */
export function withName(table: { readonly name: string }, name: string): string {
  const taken = table.name.toLowerCase()
  let free = name
  while (taken.includes(free)) free += '_'
  return free
}

/** Collects the parameters of a statement; gives the placeholder of each. */
export class Params {
  readonly list: unknown[] = []
  readonly #provider: Provider

  constructor(provider: Provider) {
    this.#provider = provider
  }

  add(value: unknown): string {
    this.list.push(value)
    return this.#provider === 'postgresql' ? `$${this.list.length}` : '?'
  }
}

/**
 * The text form in which statements take a key value that Prisma handed out: what the database writes
 * for it, bytes as hex.
 *
 * @throws {TypeError} if it is no string, number, bigint, boolean, Date, Decimal or bytes.
 */
export function keyText(provider: Provider, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
      return String(value)
    case 'boolean':
      return provider === 'postgresql' ? String(value) : value ? '1' : '0'
    case 'object':
      if (value !== null) return objectText(provider, value)
  }
  throw new TypeError('A key value of this type has no text form.')
}

function objectText(provider: Provider, value: object): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Date) {
    const iso = value.toISOString()
    // How the adapters write a time into SQLite and MySQL.
    if (provider === 'sqlite') return iso.replace('Z', '+00:00')
    // PostgreSQL reads a time of day out of this, and not out of one with a T.
    const text = iso.replace('T', ' ')
    return provider === 'mysql' ? text.replace('Z', '') : text
  }
  if (isDecimal(value)) return value.toFixed()
  throw new TypeError('A key value of this type has no text form.')
}

function isDecimal(value: object): value is { toFixed(): string } {
  return 'toFixed' in value && typeof value.toFixed === 'function'
}
