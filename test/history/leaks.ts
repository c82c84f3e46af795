import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Violation } from './checker/operation.ts'
import { Finder, formsOfKey, formsOfText } from './checker/secrets.ts'
import type { Instance } from './instance.ts'
import type { KeySecrets } from './keys.ts'
import type { World } from './world.ts'
import { CONTROL, DIGITS, SENTINEL } from './values.ts'

/** What was looked through, and what was found. */
export interface Looked {
  readonly files: number
  readonly bytes: number
  readonly violations: Violation[]
}

/**
 * Look for sentinels and keys in all that the database has written (tables, write-ahead or binary log, its log with
 * every statement), in a dump of all tables, in all that the queue's server has written, in the calls of the KMS as
 * its audit trail has them, and in all that processes have written (output, logs, errors, what `inspect` shows).
 */
export async function lookForLeaks(
  world: World,
  { base, keyring }: Instance,
  { keys, wrapped }: KeySecrets,
): Promise<Looked> {
  const secrets = new Map([
    ...[...keys].flatMap(([name, key]) => formsOfKey(name, key)),
    ...[SENTINEL, DIGITS].flatMap(formsOfText),
    ['control', Buffer.from(CONTROL)] as const,
  ])
  const finder = new Finder(secrets)
  const violations: Violation[] = []
  const complain = (what: string): void => void violations.push({ check: 'leaks', what, shown: [] })
  /** @returns whether the control was seen. */
  const look = (where: string, bytes: Buffer): boolean => {
    const found = finder.find(bytes)
    const isSeen = found.delete('control')
    for (const name of found) complain(`${name} is in ${where}`)
    return isSeen
  }
  const dump = await dumpOf(base, world)
  if (!look('a dump of the database', dump)) complain('nothing can be seen in a dump')
  let bytes = dump.length
  let files = 0
  for (const { keyId } of keyring.keys().filter(({ state }: any) => state === 'destroyed'))
    if (isIn(dump, wrapped.get(keyId)))
      complain(`the wrapped KEK of destroyed key ${keyId} is in a dump`)
  look('calls of the KMS', Buffer.from(JSON.stringify(world.kms.calls)))
  const queue = world.redis === null ? [] : [world.queueFolder]
  for (const folder of [await dataFolder(base, world), world.folder, ...queue]) {
    let isSeen = false
    for (const file of filesIn(folder)) {
      const content = readFileSync(file)
      isSeen = look(file, content) || isSeen
      bytes += content.length
      files++
    }
    if (!isSeen) complain(`nothing can be seen in ${folder}`)
  }
  return { files, bytes, violations }
}

async function dataFolder(base: any, { provider }: World): Promise<string> {
  if (provider === 'mysql') {
    const [{ folder }] = await base.$queryRawUnsafe('SELECT @@datadir AS folder')
    return folder
  }
  const [{ folder }] = await base.$queryRawUnsafe(
    `SELECT current_setting('data_directory') AS folder`,
  )
  // Beside it is the server's log.
  await base.$executeRawUnsafe('CHECKPOINT')
  return dirname(folder)
}

/** Every row of every table as text. */
async function dumpOf(base: any, { provider }: World): Promise<Buffer> {
  const parts: string[] = []
  const tables: { name: string }[] = await base.$queryRawUnsafe(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ${provider === 'mysql' ? 'database()' : "'public'"}`,
  )
  for (const { name: table } of tables) {
    const name = provider === 'mysql' ? `\`${table}\`` : `"${table}"`
    const rows = await base.$queryRawUnsafe(
      provider === 'mysql' ? `SELECT * FROM ${name}` : `SELECT t::text AS row FROM ${name} t`,
    )
    parts.push(JSON.stringify(rows, shown))
  }
  return Buffer.from(parts.join('\n'))
}

/** PostgreSQL shows bytes in hex by itself. */
function shown(_: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return typeof value === 'bigint' ? String(value) : value
}

const isIn = (dump: Buffer, bytes: Buffer | undefined): boolean =>
  bytes !== undefined && dump.includes(bytes.toString('hex'))

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
}
