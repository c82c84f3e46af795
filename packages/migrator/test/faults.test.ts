import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { status } from '../src/index.ts'
import { Command } from './command.ts'
import { addPatients, clinic, closeWorlds, readAll, world, type World } from './world.ts'

let command: Command
afterEach(async () => {
  command.remove()
  await closeWorlds()
})

async function staleWorld(provider: 'postgresql' | 'sqlite', patients: number): Promise<World> {
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
    ['-c', 'ulimit -f "$0"; exec "$@"', String(kilobytes), process.execPath, bin, 'drain'],
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

      const again = await command.run('drain', '--json')
      expect(again).toMatchObject({ code: 0, stderr: '' })
      expect((await status(w.config)).stale).toBe(0)
      expect(await readAll(w)).toEqual(values)
    },
  )

  it('says that the database is down', async () => {
    const w = await staleWorld('postgresql', 10)
    const url = new URL(w.db.url)
    url.port = '1'
    const down = new Command({ ...w, db: { ...w.db, url: url.href } })
    const { code, stderr } = await down.run('drain')
    down.remove()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^ERR_KEY_UNAVAILABLE: /)
    expect(stderr).toMatch(/DatabaseNotReachable/)
    expect(stderr).not.toContain(url.password)
  })
})
