import { measurement, type Measurement } from '../measure.ts'
import { LENGTHS } from '../schema.ts'
import type { Subjects } from '../subjects.ts'
import { fill } from '../fill.ts'
import type { Effort } from './operations.ts'

const DATABASES = ['plain', 'rowseal', 'peer'] as const

/** Bytes of values, rows and indexes. These do not depend on the machine. */
export async function disk(subjects: Subjects, { isQuick }: Effort): Promise<Measurement[]> {
  const rows = isQuick ? 500 : 10_000
  await fill(subjects, rows)
  const line = async (
    name: string,
    bytes: (db: any, name: (typeof DATABASES)[number]) => Promise<number | null>,
  ): Promise<Measurement[]> => {
    const entries = await Promise.all(
      DATABASES.map(async (db) => [db, await bytes(clientOf(subjects, db), db)] as const),
    )
    if (entries.some(([, value]) => value === null)) return []
    const times = Object.fromEntries(entries.map(([db, value]) => [db, [value!]]))
    return [measurement({ name, database: subjects.provider, unit: 'bytes' }, times)]
  }
  const lines: Measurement[] = []
  for (const [column, length] of Object.entries(LENGTHS)) {
    lines.push(...(await line(`a value of ${length} bytes`, (db) => valueBytes(db, column))))
  }
  const sizes = sizesOf[subjects.provider]
  lines.push(
    ...(await line('a row of three, with its page', async (db) => {
      const bytes = await sizes(db, 'Person')
      return bytes === null ? null : bytes / rows
    })),
    ...(await line('an entry of the index for equality', async (db, name) => {
      const bytes = await sizes(db, name === 'plain' ? 'plain_email' : 'Contact_emailIndex_idx')
      return bytes === null ? null : bytes / rows
    })),
  )
  return lines
}

function clientOf(subjects: Subjects, name: (typeof DATABASES)[number]): any {
  return name === 'rowseal' ? subjects.base : subjects[name]
}

async function valueBytes(db: any, column: string): Promise<number> {
  const [row] = await db.$queryRawUnsafe(`SELECT avg(length("${column}")) AS n FROM "Person"`)
  return Number(row.n)
}

/** Of a table or an index, in bytes; null where the database does not tell. */
const sizesOf: Record<Subjects['provider'], (db: any, relation: string) => Promise<number | null>> =
  {
    postgresql: async (db, relation) => {
      const [row] = await db.$queryRawUnsafe(`SELECT pg_table_size('"${relation}"')::int AS n`)
      return Number(row.n)
    },
    sqlite: async (db, relation) => {
      try {
        const [row] = await db.$queryRawUnsafe(
          `SELECT sum(pgsize) AS n FROM dbstat WHERE name = '${relation}'`,
        )
        return row.n === null ? null : Number(row.n)
      } catch {
        return null
      }
    },
  }
