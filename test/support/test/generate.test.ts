import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { generatorBuild } from '../src/generate/build.ts'
import { prismaCommand } from '../src/generate/command-line.ts'
import { makeFolder, type Order } from '../src/generate/folder.ts'
import { sendOrder } from '../src/generate/service.ts'

const TMP = fileURLToPath(new URL('../.tmp', import.meta.url))
const folders: string[] = []
afterAll(() => {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true })
})

const schema = (provider: string, text: string, more = ''): string => `
datasource db {\n  provider = "${provider}"\n${more}}
generator client {\n  provider = "prisma-client"\n  output = "./client"\n}
generator old {\n  provider = "prisma-client-js"\n  output = "./old"\n}
generator rowseal {\n  provider = "rowseal-generator"\n  output = "./rowseal.ts"\n}
${text}`
const TABLES =
  'generator tables {\n  provider = "tsx ../../src/mysql-ddl-generator.ts"\n  output = "./ddl.sql"\n}\n'
const POST = `
/// Umlauts: äöü
enum Kind {\n  short\n  long @map("LONG")\n}
model Post {
  id Int @id @default(autoincrement())
  /// @encrypted
  title Bytes @map("tïtle")
  kind Kind @default(long)
  tags Tag[]
  @@map("posts")
}
model Tag {\n  name String @id\n  posts Post[]\n}
`
const inSchemas = (text: string): string => {
  let count = 0
  return text.replaceAll(/^}/gm, () => `  @@schema("${['one', 'two', 'one'][count++]}")\n}`)
}

const orderOf = (provider: Order['provider'], text: string): Order => {
  const dir = join(TMP, randomUUID())
  folders.push(dir)
  const postgresUrl = process.env['ROWSEAL_TEST_POSTGRES_URL']
  return { dir, schema: text, provider, build: generatorBuild(), postgresUrl }
}
const service = (order: Order): Promise<void> =>
  sendOrder(process.env['ROWSEAL_TEST_GENERATOR']!, order)

/** By path; the folder's own name is in the old client. */
function contents(dir: string): Record<string, string> {
  const paths = readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()
  const files = paths.filter((path) => statSync(join(dir, path)).isFile())
  const text = (path: string): string =>
    readFileSync(join(dir, path), 'latin1').replaceAll(/\.tmp\/[0-9a-f.-]+/g, '.tmp')
  return Object.fromEntries(files.map((path) => [path, text(path)]))
}

describe('the process that generates clients', () => {
  it.each([
    ['postgresql', schema('postgresql', inSchemas(POST), '  schemas = ["one", "two"]\n')],
    ['mysql', schema('mysql', TABLES + POST)],
  ] as const)('makes the same files as the command on %s', async (provider, text) => {
    const [one, other] = [orderOf(provider, text), orderOf(provider, text)]
    await Promise.all([service(one), makeFolder(other, prismaCommand)])
    const made = contents(one.dir)
    expect(Object.keys(made)).toEqual(
      expect.arrayContaining(['client/client.ts', 'ddl.sql', 'old/index.js', 'rowseal.ts']),
    )
    const theirs = contents(other.dir)
    expect(Object.keys(theirs)).toEqual(Object.keys(made))
    expect(Object.keys(made).filter((path) => made[path] !== theirs[path])).toEqual([])
  })

  it.each([
    ['Prisma', 'model A {\n  id Nothing @id\n}', 'Type "Nothing" is neither a built-in type'],
    [
      'our generator',
      'model A {\n  id Int @id\n  /// @encrypt\n  name String\n}',
      'schema.prisma:19  A.name  [ERR_ANNOTATION_INVALID]',
    ],
    ['a generator that is none', 'generator no {\n  provider = "/none"\n}', '/none'],
  ])('refuses what %s refuses, in its words, and leaves nothing', async (_, text, words) => {
    const order = orderOf('sqlite', schema('sqlite', text))
    await expect(service(order)).rejects.toThrow(words)
    expect(existsSync(order.dir)).toBe(false)
    await service({ ...order, schema: schema('sqlite', POST) })
    expect(existsSync(join(order.dir, 'rowseal.ts'))).toBe(true)
  })

  it('refuses to run a generator that is not the one on the disk', async () => {
    const order = orderOf('sqlite', schema('sqlite', POST))
    await expect(service({ ...order, build: 'another' })).rejects.toThrow('built anew')
  })
})
