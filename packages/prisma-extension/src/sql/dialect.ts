import type { Provider } from '../plan/index.ts'

/** Quote an identifier: reserved words, mixed case and quotes inside it are fine. */
export function quote(provider: Provider, name: string): string {
  const mark = provider === 'mysql' ? '`' : '"'
  return mark + name.replaceAll(mark, mark + mark) + mark
}

/** The text form of a key value that Prisma handed out, as the statements here take it. */
export function keyText(provider: Provider, value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
      return String(value)
    case 'boolean':
      return provider === 'postgresql' ? String(value) : value ? '1' : '0'
    default:
      return objectText(provider, value as object)
  }
}

function objectText(provider: Provider, value: object): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (value instanceof Date) {
    const iso = value.toISOString()
    // How the adapters write a time into SQLite and MySQL.
    if (provider === 'sqlite') return iso.replace('Z', '+00:00')
    return provider === 'mysql' ? iso.replace('T', ' ').replace('Z', '') : iso
  }
  if ('toFixed' in value && typeof value.toFixed === 'function') return String(value.toFixed())
  throw new TypeError('A key value of this type has no text form.')
}
