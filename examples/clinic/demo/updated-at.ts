import { readRows, TABLES, type Client } from './tables.ts'

/** `updatedAt` of every row, by table and primary key. Read without the extension: it opens nothing. */
export async function readUpdatedAt(client: Client): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>()
  for (const table of TABLES) {
    const select = Object.fromEntries([...table.key, 'updatedAt'].map((field) => [field, true]))
    for await (const row of readRows(client, table, { select })) {
      const key = table.key.map((field) => row[field]).join(' ')
      times.set(`${table.model} ${key}`, (row['updatedAt'] as Date).getTime())
    }
  }
  return times
}
