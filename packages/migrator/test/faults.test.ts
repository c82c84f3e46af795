import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { status, type MigrationError } from '../src/index.ts'
import { Command, PROGRESS } from './command.ts'
import {
  drain,
  addPatients,
  clinic,
  closeWorlds,
  PROVIDERS,
  readAll,
  world,
  type Provider,
  type World,
} from './world.ts'

let command: Command
afterEach(async () => {
  command.remove()
  await closeWorlds()
})

const SERVERS = PROVIDERS.filter((provider) => provider !== 'sqlite')

async function staleWorld(provider: Provider, patients: number): Promise<World> {
  const w = await world(provider, clinic(provider))
  command = new Command(w)
  await addPatients(w, patients)
  await w.rotate()
  return w
}

/** Run `rowseal drain` where no file may grow beyond a size, as on a disk that is full. */
async function drainWithin(
  kilobytes: number,
  w: World,
): Promise<{ code: number | null; stderr: string }> {
  const bin = new URL('../bin/rowseal.mjs', import.meta.url).pathname
  const child = spawn(
    'bash',
    ['-c', 'ulimit -f "$0"; exec "$@"', String(kilobytes), process.execPath, bin, 'drain', '--now'],
    {
      cwd: command.folder,
      env: {
        ...process.env,
        DATABASE_URL: w.db.url,
        ROWSEAL_ROOT_KEY: w.rootKey.toString('base64'),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  const [stderr, code] = await Promise.all([
    text(child.stderr),
    new Promise<number | null>((done) => child.on('close', done)),
  ])
  return { code, stderr }
}

describe('a run whose database fails', () => {
  it.skipIf(process.platform === 'win32')(
    'says that the disk is full, keeps what was committed, and goes on when there is room',
    async () => {
      const w = await staleWorld('sqlite', 4000)
      const values = await readAll(w)
      await w.query('PRAGMA wal_checkpoint(TRUNCATE)')
      const { size } = statSync(w.db.url.replace('file:', ''))
      const full = await drainWithin(Math.ceil(size / 1024) + 600, w)
      expect(full.code).toBe(1)
      expect(full.stderr).toContain('ERR_DATABASE_FAILED')
      expect(full.stderr).toContain('npx rowseal drain')
      expect(await readAll(w)).toEqual(values)

      const again = await command.run('drain', '--now', '--json')
      expect([again.code, again.stderr.replaceAll(PROGRESS, '')]).toEqual([0, ''])
      expect((await status(w.config)).stale).toBe(0)
      expect(await readAll(w)).toEqual(values)
    },
  )

  it.each(SERVERS)('says that the database is down, on %s', async (provider) => {
    const w = await staleWorld(provider, 10)
    const url = new URL(w.db.url)
    url.port = '1'
    url.password = 'xyzzy-plugh'
    if (provider === 'mysql') url.searchParams.set('acquireTimeout', '300')
    const down = new Command({ ...w, db: { ...w.db, url: url.href } })
    const { code, stderr } = await down.start('drain', '--now').ended
    down.remove()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^ERR_KEY_UNAVAILABLE: /)
    expect(stderr).toMatch(/DatabaseNotReachable|45028/)
    expect(stderr).not.toContain(url.password)
  })
})

describe.runIf(PROVIDERS.includes('mysql'))('a run that MySQL refuses', () => {
  /** A drain through a client of another address, as somebody else or with other settings. */
  async function drainThrough(w: World, change: (url: URL) => void): Promise<MigrationError> {
    const url = new URL(w.db.url)
    change(url)
    const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
    const client = new PrismaClient({ adapter: new PrismaMariaDb(url.href) })
    const error = await drain({ ...w.config, client }).catch((thrown: unknown) => thrown)
    await client.$disconnect()
    return error as MigrationError
  }

  it('says that the user may not write, and goes on as another', async () => {
    const w = await staleWorld('mysql', 10)
    const name = `reader_${randomUUID().slice(0, 8)}`
    await w.run(
      `CREATE USER '${name}'@'%' IDENTIFIED BY 'reads only'`,
      `GRANT SELECT ON * TO '${name}'@'%'`,
      `GRANT INSERT, UPDATE, DELETE ON rowseal_runs TO '${name}'@'%'`,
      `GRANT INSERT, UPDATE, DELETE ON rowseal_parts TO '${name}'@'%'`,
    )
    const error = await drainThrough(w, (url) => {
      url.username = name
      url.password = 'reads only'
    })
    await w.run(`DROP USER '${name}'@'%'`)
    expect(error).toMatchObject({ code: 'ERR_DATABASE_FAILED' })
    expect(error.message).toMatch(/denies access .*1142.*SELECT and UPDATE/)
    expect(await drain(w.config)).toMatchObject({ outcome: 'done', rows: 10 })
  })

  it('rewrites values as large as MySQL takes, and says how if a batch of them is too much', async ({
    skip,
  }) => {
    const w = await world('mysql', clinic('mysql'))
    command = new Command(w)
    const [row] = await w.query<{ bytes: bigint }>(`SELECT @@max_allowed_packet AS bytes`)
    if (Number(row!.bytes) > 16 * 1024 * 1024) skip('no value is that large')
    // Two thirds of a packet, when sealed; the one before makes it too much.
    const chars = Math.floor(Number(row!.bytes) * 0.65)
    const pins = ['x'.repeat(chars / 4), 'y'.repeat(chars)]
    for (const [id, pin] of pins.entries())
      await w.sealed.staff.create({ data: { id, name: '', pin } })
    await w.rotate()
    await expect(drain(w.config, { batchBytes: chars })).rejects.toMatchObject({
      code: 'ERR_DATABASE_FAILED',
      message: expect.stringMatching(
        /(1153|45009|ECONNRESET|EPIPE).*max_allowed_packet.*--batch-bytes/,
      ),
    })
    expect(await drain(w.config, { batchBytes: 1000 })).toMatchObject({ outcome: 'done', rows: 2 })
    const rows = await w.sealed.staff.findMany({ orderBy: { id: 'asc' } })
    expect(rows.map((staff: any) => staff.pin === pins[staff.id])).toEqual([true, true])
  })
})
