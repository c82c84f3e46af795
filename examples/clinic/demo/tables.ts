import type { Prisma } from '#generated/prisma/client.ts'
import { documents, encounters, forms, patients, staff } from '../seed/rows.ts'

export type Row = Record<string, unknown>
export type Client = (typeof import('../src/db.ts'))['client' | 'prisma']

/** A table as the demo handles all of them: the rows it writes, and the order it reads them back in. */
export interface Table {
  readonly model: Prisma.ModelName
  /** Primary key, which is also the order of the rows. */
  readonly key: readonly string[]
  readonly rows: (patients: number) => Iterable<Row>
}

/** Parents first. */
export const TABLES: readonly Table[] = [
  { model: 'Staff', key: ['id'], rows: staff },
  { model: 'Patient', key: ['id'], rows: patients },
  { model: 'Encounter', key: ['id'], rows: encounters },
  { model: 'Document', key: ['id'], rows: documents },
  { model: 'IntakeForm', key: ['patientId', 'version'], rows: forms },
]

const PAGE_ROWS = 1000

interface Delegate {
  createMany(args: { data: Row[] }): Promise<{ count: number }>
  findMany(args: object): Promise<Row[]>
}

/** Rows in the order of the key, a page at a time. */
export async function* readRows(
  client: Client,
  { model, key }: Table,
  options: { select?: object } = {},
): AsyncGenerator<Row> {
  let last: Row | undefined
  for (;;) {
    const page = await delegate(client, model).findMany({
      ...options,
      orderBy: key.map((field) => ({ [field]: 'asc' })),
      take: PAGE_ROWS,
      ...(last && { cursor: cursor(key, last), skip: 1 }),
    })
    yield* page
    if (page.length < PAGE_ROWS) return
    last = page.at(-1)
  }
}

/** Write the rows of an iterable, a page at a time, and tell after each how many there are now. */
export async function* writeRows(
  client: Client,
  { model }: Table,
  rows: Iterable<Row>,
): AsyncGenerator<number> {
  let count = 0
  let page: Row[] = []
  const write = async (): Promise<number> => {
    count += (await delegate(client, model).createMany({ data: page })).count
    page = []
    return count
  }
  for (const row of rows) if (page.push(row) === PAGE_ROWS) yield await write()
  if (page.length > 0) yield await write()
}

function delegate(client: Client, model: Prisma.ModelName): Delegate {
  const name = model[0]!.toLowerCase() + model.slice(1)
  return (client as unknown as Record<string, Delegate>)[name]!
}

function cursor(key: readonly string[], row: Row): Row {
  const values = Object.fromEntries(key.map((field) => [field, row[field]]))
  return key.length === 1 ? values : { [key.join('_')]: values }
}
