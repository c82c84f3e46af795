import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { awsKms } from '@rowseal/prisma-extension/providers/aws-kms'
import type { Violation } from './checker/operation.ts'
import { Finder, formsOfKey, formsOfText } from './checker/secrets.ts'
import type { Instance } from './instance.ts'
import type { World } from './world.ts'
import { CONTROL, DIGITS, SENTINEL } from './values.ts'

const TABLES = ['keyrings', 'keys', 'runs', 'parts', 'quarantine', 'fields'].map(
  (name) => `rowseal_${name}`,
)

/** The keys of a history, as the KMS unwraps them: they are collected while it lasts, since some are destroyed. */
export class KeyCollector {
  readonly #base: any
  readonly #root: ReturnType<typeof awsKms>
  readonly keys = new Map<string, Buffer>()

  constructor(world: World, base: any) {
    this.#base = base
    const { endpoint, keyId, region } = world.direct.kms
    const clientConfig = { credentials: { accessKeyId: 'collector', secretAccessKey: 'none' } }
    this.#root = awsKms({ keyId, endpoint, region, clientConfig, maxAttempts: 1 })
  }

  /** Those that are not known yet. What the KMS does not give now it gives later. */
  async look(): Promise<void> {
    const rows: any[] = await this.#base.$queryRawUnsafe(
      'SELECT key_id AS id, keyring AS keyring, root_key_id AS root, wrapped_kek AS wrapped FROM rowseal_keys',
    )
    for (const { id, keyring, root, wrapped } of rows) {
      const name = `key ${id} of ${keyring}`
      if (wrapped.length === 0 || this.keys.has(name)) continue
      const context = { keyring, keyId: Number(id), use: 'kek' } as const
      const key = await this.#root.unwrap(wrapped, root, context).catch(() => null)
      if (key !== null) this.keys.set(name, key)
    }
  }
}

/** What was looked through, and what was found. */
export interface Looked {
  readonly files: number
  readonly bytes: number
  readonly violations: Violation[]
}

/**
 * Look for sentinels and keys in all that the database has written (tables, write-ahead log, its log), in a dump of
 * all tables, and in all that processes have written (output, logs, errors, what `inspect` shows).
 */
export async function lookForLeaks(
  world: World,
  { base }: Instance,
  keys: ReadonlyMap<string, Buffer>,
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
  for (const folder of [await dataFolder(base, world), world.folder]) {
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
  for (const table of ['group', 'Entry', ...TABLES]) {
    const name = provider === 'mysql' ? `\`${table}\`` : `"${table}"`
    const rows = await base.$queryRawUnsafe(
      provider === 'mysql' ? `SELECT * FROM ${name}` : `SELECT t::text AS row FROM ${name} t`,
    )
    parts.push(JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? `${value}` : value)))
  }
  return Buffer.from(parts.join('\n'))
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true)
}
