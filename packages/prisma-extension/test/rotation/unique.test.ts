import { database, type TestDatabase } from '@rowseal/test-support'
import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  activateIndexKey,
  addIndexKey,
  initIndexKeys,
  initKeyring,
  moveIndex,
  registerIndex,
} from '../../src/keys/index.ts'
import type { Task } from './child.ts'
import { instance, MAX_AGE_MS, MYSQL_DDL, type Instance, type Provider } from './world.ts'

const ID = 'Account.emailIndex'
const PROCESSES = 3
const PROVIDERS: readonly Provider[] =
  process.env['ROWSEAL_TEST_MARIADB_URL'] === undefined ? ['postgresql'] : ['postgresql', 'mysql']

interface Answer {
  readonly done?: number
  readonly code?: string
}

describe.each(PROVIDERS)('a unique index that rotates while processes write, on %s', (provider) => {
  let db: TestDatabase
  let own: Instance
  let children: ChildProcess[]
  let lastId = 0
  const values: string[] = []

  beforeAll(async () => {
    process.env['ROTATION_ROOT_KEY'] = randomBytes(32).toString('base64')
    db = await database(provider)
    own = await instance(provider, db.url)
    await db.exec(provider === 'mysql' ? MYSQL_DDL : own.ddl)
    await initKeyring(own.keyring)
    await initIndexKeys(own.keyring)
    await registerIndex(own.keyring, { id: ID, normalize: [], isUnique: true, complete: true })
    children = await Promise.all(
      Array.from({ length: PROCESSES }, async () => {
        const path = fileURLToPath(new URL('child.ts', import.meta.url))
        const child = fork(path, [provider, db.url], { execArgv: ['--import', 'tsx'] })
        await once(child, 'message')
        return child
      }),
    )
  })
  afterAll(async () => {
    for (const child of children) child.send('end')
    await Promise.all(children.map((child) => once(child, 'exit')))
    await own.base.$disconnect()
    await db.drop()
  })

  /** The same task in every process at once. */
  const all = (task: Omit<Task, 'id'>): Promise<Answer[]> =>
    Promise.all(
      children.map(async (child) => {
        const answer = once(child, 'message')
        child.send({ ...task, id: ++lastId })
        return ((await answer) as [Answer])[0]
      }),
    )

  /** One of the processes makes the value, the others meet it as they would on a plain unique column. */
  async function makeOnce(kind: 'create' | 'createMany' | 'upsert' | 'connectOrCreate') {
    const value = `${kind}-${values.length}@example.org`
    const answers = await all({ kind, value })
    values.push(value)
    const codes = answers.flatMap(({ code }) => code ?? [])
    expect(
      answers.reduce((sum, { done = 0 }) => sum + done, 0),
      `${kind}: ${codes.join()}`,
    ).toBe(1)
    // Prisma looks up, then inserts, in connectOrCreate, and on MySQL in upsert: who comes second may be told so.
    const mayCollide =
      kind === 'create' || kind === 'connectOrCreate' || (kind === 'upsert' && provider === 'mysql')
    expect(
      codes.filter((code) => !(mayCollide && code === 'P2002')),
      kind,
    ).toEqual([])
  }

  /** A value that is there is found by every process, in whichever phase each of them is. */
  async function findAll(): Promise<void> {
    const value = values[(values.length * 7) % values.length] ?? values[0]!
    for (const wanted of [value, values.at(-1)!]) {
      expect(await all({ kind: 'find', value: wanted })).toEqual(children.map(() => ({ done: 1 })))
    }
  }

  async function rename(): Promise<void> {
    const former = values.pop()!
    const value = `renamed-${former}`
    const answers = await all({ kind: 'rename', value, former })
    values.push(value)
    // On MySQL Prisma selects, then updates by id: others may have found the row before it was renamed.
    if (provider === 'postgresql') expect(answers.filter(({ done }) => done === 1)).toHaveLength(1)
    for (const { code } of answers) expect([undefined, 'P2025']).toContain(code)
  }

  let isOver = false
  async function keepWriting(): Promise<void> {
    while (!isOver) {
      for (const kind of ['create', 'upsert', 'createMany', 'connectOrCreate'] as const) {
        await makeOnce(kind)
        await findAll()
      }
      await rename()
      await findAll()
    }
  }

  /** What a reindex run does: fill in what is missing, by compare-and-swap on what was read. */
  async function fill(): Promise<void> {
    await own.keyring.index.refresh()
    const quote = (name: string): string => (provider === 'mysql' ? `\`${name}\`` : `"${name}"`)
    const [table, email, first, second] = ['Account', 'email', 'emailIndex', 'emailIndex2'].map(
      quote,
    )
    const missing = `${table} WHERE ${first} IS NULL OR ${second} IS NULL`
    const mark = provider === 'mysql' ? ['?', '?', '?', '?'] : ['$1', '$2', '$3', '$4']
    for (;;) {
      const rows = await own.base.$queryRawUnsafe(`SELECT * FROM ${missing}`)
      if (rows.length === 0) return
      for (const row of rows) {
        const text = await own.prisma.$rowseal.open('Account.email', row.email)
        const entries = await own.prisma.$rowseal.indexEntries('Account.email', text)
        await own.base.$executeRawUnsafe(
          `UPDATE ${table} SET ${first} = ${mark[0]}, ${second} = ${mark[1]} WHERE id = ${mark[2]} AND ${email} = ${mark[3]}`,
          entries.emailIndex,
          entries.emailIndex2,
          row.id,
          row.email,
        )
      }
    }
  }

  const everybodyFollows = (): Promise<void> => sleep(MAX_AGE_MS + 100)

  async function rotate(to: 1 | 2): Promise<void> {
    const from = to === 2 ? 1 : 2
    await addIndexKey(own.keyring)
    await everybodyFollows()
    await activateIndexKey(own.keyring)
    await everybodyFollows()
    for (const phase of [`both-${from}`, `both-${to}`, `slot-${to}`] as const) {
      await moveIndex(own.keyring, ID, phase)
      await everybodyFollows()
      if (phase === `both-${from}`) await fill()
    }
    const column = from === 1 ? 'emailIndex' : 'emailIndex2'
    await own.base.account.updateMany({ data: { [column]: null } })
  }

  it('lets no duplicate in and answers every look-up, there and back', async () => {
    const writing = keepWriting()
    await Promise.race([writing, rotate(2).then(() => rotate(1))])
    isOver = true
    await writing
    const rows = await own.prisma.account.findMany()
    const emails = rows.map((row: { email: string }) => row.email)
    expect(new Set(emails).size).toBe(emails.length)
    expect([...emails].sort()).toEqual([...values].sort())
    expect(rows.every((row: any) => row.emailIndex2 === null)).toBe(true)
    for (const value of values) {
      expect(await own.prisma.account.findUnique({ where: { email: value } })).toMatchObject({
        email: value,
      })
    }
  })
})
