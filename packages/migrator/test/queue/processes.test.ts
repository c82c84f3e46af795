import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { listRuns, type RunInfo } from '../../src/index.ts'
import { Command, type Started } from '../command.ts'
import { addPatients, clinic, closeWorlds, PROVIDERS, readAll, world } from '../world.ts'
import type { Provider, World } from '../world.ts'
import { BACKENDS, startQueue, type Backend } from './servers.ts'

// The last part has 40.
const ROWS = 790
const PARTS = 16
const DRAIN = ['drain', '--queue', '--model', 'Patient', '--part-rows', '50', '--json']
// Slow enough that a test can interfere.
const WORKER = ['worker', '--now', '--batch-rows', '20', '--max-rows-per-second', '150']

const COMBINATIONS = (
  [
    ['redis', 'postgresql'],
    ['postgresql', 'mysql'],
  ] as [Backend, Provider][]
).filter(([queue, data]) => BACKENDS.includes(queue) && PROVIDERS.includes(data))

interface Site {
  readonly w: World
  readonly command: Command
  readonly values: unknown[]
}

const cleanups: (() => unknown)[] = []
const started: Started[] = []
const failures: string[] = []

afterEach(async () => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL')
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await closeWorlds()
  failures.length = 0
})

async function site(backend: Backend, provider: Provider): Promise<Site> {
  const server = await startQueue(backend)
  cleanups.push(() => server.stop())
  const w = await world(provider, clinic(provider))
  await addPatients(w, ROWS)
  const values = await readAll(w)
  await w.rotate()
  const command = new Command(w, server.options)
  cleanups.push(() => command.remove())
  return { w, command, values }
}

function start({ command }: Site, ...args: string[]): Started {
  const process = command.startSoon(...args)
  started.push(process)
  void process.ended.then(({ code, stderr }) => {
    if (code !== 0 && code !== null) failures.push(stderr)
  })
  return process
}

/** Until a worker takes parts. */
async function ready({ child, ended }: Started): Promise<void> {
  const said = new Promise<void>((done) =>
    child.stderr!.on('data', (text) => /Taking parts/.test(String(text)) && done()),
  )
  await Promise.race([said, ended])
}

const runOf = async ({ w }: Site): Promise<RunInfo | undefined> => (await listRuns(w.config))[0]

/** Until a run is as a test wants it. */
async function until(at: Site, isSo: (run: RunInfo) => boolean): Promise<RunInfo> {
  for (;;) {
    const run = await runOf(at)
    if (run !== undefined && isSo(run)) return run
    if (failures.length > 0) throw new Error(failures.join('\n'))
    await sleep(50)
  }
}

const pidOf = (owner: string): number => Number(owner.split(':').at(-2))

/** Kill the two that have parts, at whatever they are. */
async function killTwo(at: Site): Promise<number[]> {
  const { workers } = await until(at, (run) => run.rows >= 100 && run.workers.length >= 2)
  const pids = workers.slice(0, 2).map(pidOf)
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  return pids
}

describe.each(COMBINATIONS)('a queue on %s and data in %s', (backend, provider) => {
  it('is finished by four workers of whom two are killed, and with the coordinator killed too', async () => {
    const at = await site(backend, provider)
    const workers = [1, 2, 3, 4].map(() => start(at, ...WORKER))
    await Promise.all(workers.map(ready))
    const first = start(at, ...DRAIN)
    const killed = await killTwo(at)
    first.child.kill('SIGKILL')
    const before = (await runOf(at))!
    expect(before.parts.done).toBeLessThan(PARTS)
    const { code, stdout } = await start(at, ...DRAIN).ended
    expect(code).toBe(0)
    // What the killed coordinator and workers did is in it.
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'done', rows: ROWS, quarantined: 0 })
    expect(await runOf(at)).toMatchObject({
      ...{ state: 'succeeded', rows: ROWS, since: before.since },
      parts: { count: PARTS, done: PARTS },
    })
    for (const { child } of workers) child.kill('SIGTERM')
    const ended = await Promise.all(workers.map((worker) => worker.ended))
    const codes = ended.map((end) => end.signal ?? end.code)
    expect(codes.sort()).toEqual([143, 143, 'SIGKILL', 'SIGKILL'])
    expect(new Set(killed).size).toBe(2)
    expect(await readAll(at.w)).toEqual(at.values)
  }, 120_000) // Six processes have to begin.
})

/** Freeze the worker of a part while no transaction of its is open, which would hold its rows. */
async function freeze(at: Site, pid: number): Promise<void> {
  for (;;) {
    process.kill(pid, 'SIGSTOP')
    const open = await at.w.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid() AND query NOT LIKE 'LISTEN%'`,
    )
    if (open.length === 0) return
    process.kill(pid, 'SIGCONT')
    await sleep(10)
  }
}

describe.runIf(COMBINATIONS.length > 0)('a worker', () => {
  it('that was frozen until its part was taken over changes nothing when it wakes', async () => {
    const at = await site(...COMBINATIONS[0]!)
    const drained = start(at, ...DRAIN)
    // Else there is nothing to wait for.
    await until(at, () => true)
    const frozen = start(at, ...WORKER, '--exit-when-idle', '1s')
    const { workers } = await until(at, (run) => run.rows >= 60 && run.workers.length === 1)
    await freeze(at, pidOf(workers[0]!))
    // As if the heartbeat had lapsed.
    await at.w.run(`UPDATE rowseal_parts SET heartbeat_at_ms = 0`)
    start(at, ...WORKER.slice(0, 2), '--exit-when-idle', '1s')
    expect((await drained.ended).code).toBe(0)
    const stored = await at.w.query('SELECT * FROM "table" ORDER BY "group", "order"')
    const run = await runOf(at)
    frozen.child.kill('SIGCONT')
    expect((await frozen.ended).code).toBe(0)
    expect(await at.w.query('SELECT * FROM "table" ORDER BY "group", "order"')).toEqual(stored)
    expect(await runOf(at)).toEqual(run)
    expect(run).toMatchObject({ state: 'succeeded', rows: ROWS, parts: { done: PARTS } })
    expect(await readAll(at.w)).toEqual(at.values)
  }, 120_000) // Three processes begin one after the other.

  it('that is told to end gives its part back, and says so with its exit code', async () => {
    const at = await site(...COMBINATIONS[0]!)
    start(at, ...DRAIN)
    const worker = start(at, ...WORKER)
    await until(at, (run) => run.rows >= 60 && run.workers.length === 1)
    worker.child.kill('SIGTERM')
    const { code, stderr } = await worker.ended
    expect(code).toBe(143)
    expect(stderr).toMatch(/Patient, part \d+: \d+ rows, given back\./)
    expect(await runOf(at)).toMatchObject({ state: 'running', workers: [] })
  })
})
