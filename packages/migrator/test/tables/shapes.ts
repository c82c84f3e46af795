import type { Provider } from '../world.ts'
import { KEY_TYPES, ROLE, type KeyType } from './key-types.ts'
import type { Filled } from './tables.ts'

const SEALED = (provider: Provider): string => `
  n           Int
  /// @encrypted
  secret      String
  /// @blindIndex(secret)
  secretIndex String?${provider === 'mysql' ? ' @db.VarChar(100)' : ''}
`

/** A model for each type alone, and one for each two that follow each other in the list. */
export function shapes(provider: Provider): { readonly prisma: string; readonly tables: Filled[] } {
  const types = Object.entries<KeyType>(KEY_TYPES[provider])
  const sealed = SEALED(provider)
  const tables: Filled[] = []
  const models: string[] = [ROLE]
  for (const [i, [name, { type, values }]] of types.entries()) {
    models.push(`model ${name}Key {\n  id ${type} @id\n${sealed}}`)
    tables.push({
      model: `${name}Key`,
      table: `${name}Key`,
      key: ['id'],
      rows: values.map((value) => [value]),
    })
    const [other, next] = types[(i + 1) % types.length]!
    const model = `${name}And${other}`
    models.push(`model ${model} {\n  a ${type}\n  b ${next.type}\n${sealed}  @@id([a, b])\n}`)
    const rows = values.slice(-3).flatMap((a) => next.values.slice(-3).map((b) => [a, b]))
    tables.push({ model, table: model, key: ['a', 'b'], rows })
  }
  return { prisma: models.join('\n'), tables }
}
