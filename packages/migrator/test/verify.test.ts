import { afterEach, describe, expect, it } from 'vitest'
import {
  cancelRuns,
  listRuns,
  verify,
  type VerifyEvent,
  type VerifyOptions,
  type VerifyReport,
} from '../src/index.ts'
import { openContext } from '../src/config.ts'
import { FormerEntries } from '../src/runs/former-entries.ts'
import { Quarantine } from '../src/runs/quarantine.ts'
import { loadTargets } from '../src/targets.ts'
import { Command } from './command.ts'
import {
  addPatients,
  clinic,
  closeWorlds,
  drain,
  PROVIDERS,
  readAll,
  world,
  type Provider,
  type World,
} from './world.ts'

afterEach(closeWorlds)

const ONLY = { models: ['Patient'], batchRows: 10, minBatchRows: 10 } as const

async function patients(provider: Provider, count: number): Promise<World> {
  const w = await world(provider, clinic(provider))
  await addPatients(w, count)
  return w
}

/** What a report counts, without what is of the moment. */
function countsOf({ rows, opened, bad, fields, indexes }: VerifyReport): object {
  return { rows, opened, bad, fields, indexes }
}

/** Verify until so many batches were looked at. */
async function stopped(
  w: World,
  batches: number,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const stop = new AbortController()
  let left = batches
  const onEvent = (event: VerifyEvent): void => {
    if (event.type === 'batch' && --left === 0) stop.abort()
  }
  return verify(w.config, { ...ONLY, ...options, signal: stop.signal, onEvent })
}

/** Put something into the email of a patient that does not open. */
async function spoil({ plain }: World, i: number): Promise<void> {
  const where = { number: `n'${i}` }
  const { email } = await plain.patient.findFirst({ where })
  const at = email.length - 5
  const other = email[at] === 'A' ? 'B' : 'A'
  const data = { email: `${email.slice(0, at)}${other}${email.slice(at + 1)}` }
  await plain.patient.updateMany({ where, data })
}

const entries = async (w: World): Promise<string[]> =>
  (await w.query(`SELECT field, record_key FROM rowseal_quarantine ORDER BY record_key`)).map(
    (row) => `${row.field} ${(JSON.parse(row.record_key) as string[])[1]}`,
  )

/** As a drain leaves it. */
async function recorded(
  { config, provider }: World,
  model: string,
  field: string,
  key: readonly string[],
  code: string,
): Promise<void> {
  const { client } = config
  const quarantine = new Quarantine(client, provider)
  await client.$transaction((tx) => quarantine.record(tx, [{ model, field, key, code }], 'drain'))
}

describe.each(PROVIDERS)('verify on %s', (provider) => {
  it('goes on where it was stopped, and counts every value once', async () => {
    const w = await patients(provider, 100)
    await spoil(w, 0) // of the first clinic, and so looked at first
    await spoil(w, 6)
    const whole = await verify(w.config, ONLY)
    expect(whole).toMatchObject({ outcome: 'incomplete', rows: 100, bad: 2, isResumed: false })
    const first = await stopped(w, 3)
    expect(first).toMatchObject({ outcome: 'stopped', isResumed: false })
    expect(first.rows).toBeGreaterThanOrEqual(30)
    expect(first.rows).toBeLessThan(100)
    let left = 0
    const second = await verify(w.config, {
      ...ONLY,
      onEvent: (event) => {
        if (event.type === 'model') left = event.rows
      },
    })
    expect(left).toBe(100 - first.rows)
    expect(second).toMatchObject({ outcome: 'incomplete', isResumed: true })
    expect(countsOf(second)).toEqual(countsOf(whole))
    expect(await verify(w.config, ONLY)).toMatchObject({ rows: 100, isResumed: false })
    await stopped(w, 3)
    expect(await verify(w.config, { ...ONLY, restart: true })).toMatchObject({
      rows: 100,
      isResumed: false,
    })
    expect(await listRuns(w.config)).toMatchObject([
      {
        model: 'Patient',
        direction: 'verify',
        state: 'failed',
        reason: '2 rows have a value in quarantine',
        looked: 100,
      },
    ])
  })

  it('lets an entry of the quarantine go once its row was found good, or is gone', async () => {
    const w = await patients(provider, 60)
    for (const i of [0, 1, 5, 6, 13]) await spoil(w, i)
    await verify(w.config, ONLY)
    const all = ["email n'0", "email n'1", "email n'5", "email n'6", "email n'13"]
    expect((await entries(w)).sort()).toEqual([...all].sort())
    for (const i of [0, 6, 13])
      await w.sealed.patient.updateMany({
        where: { number: `n'${i}` },
        data: { email: `patient${i}@example.org` },
      })
    await w.plain.patient.deleteMany({ where: { number: `n'5` } })
    // Of another model, and of one that this does not look at.
    // Of another model, of a field that is no more, and what the database refused a drain.
    await recorded(w, 'Staff', 'pin', ['1'], 'ERR_ENVELOPE_AUTH')
    await recorded(w, 'Patient', 'gone', ['1', 'n'], 'ERR_ENVELOPE_AUTH')
    await recorded(w, 'Patient', 'email', ['0', "n'0"], 'ERR_CHECK_VIOLATION')
    await recorded(w, 'Patient', 'phone', ['5', "n'5"], 'ERR_CHECK_VIOLATION')
    await stopped(w, 1) // looks at n'7 and n'14 of the first clinic too, not at n'6, nor at what is gone
    const others = ['gone n', 'pin undefined', "email n'0"]
    const left = [...all.slice(1), "phone n'5"]
    expect((await entries(w)).sort()).toEqual([...left, ...others].sort())
    expect(await verify(w.config, ONLY)).toMatchObject({ bad: 1 })
    expect((await entries(w)).sort()).toEqual(["email n'1", ...others].sort())
  })

  it('asks the database for former entries where they are too many to be held', async () => {
    const w = await patients(provider, 3)
    for (const i of [0, 1, 2]) await recorded(w, 'Patient', 'email', [`${i}`, `n'${i}`], 'ERR_X')
    await recorded(w, 'Patient', 'email', ['9', "n'9"], 'ERR_X')
    await recorded(w, 'Patient', 'email', ['9'], 'ERR_X') // of another key that the model had
    await new Promise((done) => setTimeout(done, 5))
    const [target] = await loadTargets(await openContext(w.config), ['Patient'])
    const { client } = w.config
    const rows = [0, 1, 5].map((i) => ({ key: [`${i}`, `n'${i}`], values: [], bound: [] }))
    for (const maxHeld of [100, 2]) {
      const former = await FormerEntries.load(client, target!, ['email', 'notes'], maxHeld)
      const found = await former.among(rows)
      expect(found.map(({ key }) => key[0]).sort()).toEqual(['0', '1'])
      const gone: string[] = []
      for await (const keys of former.ofNothing()) gone.push(...keys.map((key) => key.join()))
      expect(gone.sort()).toEqual(['9', "9,n'9"])
    }
    const none = await FormerEntries.load(client, target!, ['notes'])
    expect(await none.among(rows)).toEqual([])
  })

  it('is shared among shards, each with what it found in its own rows', async () => {
    const w = await patients(provider, 61)
    for (const i of [0, 6]) await spoil(w, i)
    const whole = await verify(w.config, ONLY)
    await spoil(w, 7)
    await w.sealed.patient.updateMany({
      where: { number: `n'6` },
      data: { email: 'patient6@example.org' },
    })
    const of = (index: number): Promise<VerifyReport> =>
      verify(w.config, { ...ONLY, shard: { index, of: 3 } })
    const first = await of(1)
    expect(first).toMatchObject({ rows: 21, outcome: 'incomplete', bad: 2 })
    expect((await entries(w)).sort()).toEqual(["email n'0", "email n'6", "email n'7"])
    // It is done, and says so again.
    expect(countsOf(await of(1))).toEqual(countsOf(first))
    expect(await of(2)).toMatchObject({ rows: 21, outcome: 'done' })
    expect(await of(3)).toMatchObject({ rows: 19, outcome: 'done' })
    expect((await entries(w)).sort()).toEqual(["email n'0", "email n'7"])
    expect((await listRuns(w.config))[0]).toMatchObject({ state: 'failed', looked: 61 })
    expect(whole.rows).toBe(61)
  })

  it('goes on beside a run that writes to the same rows', async () => {
    const w = await patients(provider, 200)
    const values = await readAll(w)
    await w.rotate()
    // libsql waits for a lock without letting go of the process, which so never lets go of the lock.
    const other = provider === 'sqlite' ? w.config : await w.another()
    const [report, drained] = await Promise.all([verify(other, ONLY), drain(w.config, { ...ONLY })])
    expect(report).toMatchObject({ outcome: 'done', rows: 200, bad: 0 })
    expect(drained).toMatchObject({ outcome: 'done', rows: 200 })
    expect((await listRuns(w.config)).map(({ direction, state }) => [direction, state])).toEqual([
      ['drain', 'succeeded'],
      ['verify', 'succeeded'],
    ])
    expect(await readAll(w)).toEqual(values)
  })

  it('is refused while another one reads the same model, and ended by an operator', async () => {
    const w = await patients(provider, 200)
    const other = await w.another()
    const seen: unknown[] = []
    let doing = null as Promise<void> | null
    const report = await verify(w.config, {
      ...ONLY,
      maxRowsPerSecond: 50,
      onEvent: (event) => {
        if (event.type === 'batch')
          doing ??= verify(other, ONLY)
            .catch((error: unknown) => seen.push(error))
            .then(async () => {
              await cancelRuns(other, ['Patient'])
            })
      },
    })
    await doing
    expect(seen).toEqual([
      expect.objectContaining({
        code: 'ERR_RUN_STATE',
        message: expect.stringMatching(/^Another run reads Patient/),
      }),
    ])
    expect(report.outcome).toBe('cancelled')
    expect(report.rows).toBeLessThan(200)
    expect(await verify(w.config, ONLY)).toMatchObject({ rows: 200, isResumed: false })
  })

  it('is begun anew when the plan is another one', async () => {
    const w = await patients(provider, 50)
    await stopped(w, 1)
    await w.run(`UPDATE rowseal_runs SET plan = 'another'`)
    expect(await verify(w.config, ONLY)).toMatchObject({ rows: 50, isResumed: false })
  })

  it('killed and run again counts every value once', async () => {
    const w = await patients(provider, 600)
    await spoil(w, 0)
    const whole = await verify(w.config, { models: ['Patient'] })
    await w.run('DELETE FROM rowseal_parts', 'DELETE FROM rowseal_runs')
    const command = new Command(w)
    const flags = ['verify', '--model', 'Patient', '--batch-rows', '20', '--json']
    try {
      const { child, ended } = command.startSoon(...flags, '--max-rows-per-second', '200')
      const isSaved = async (): Promise<boolean> =>
        (await w.query('SELECT 1 FROM rowseal_parts WHERE checkpoint IS NOT NULL')).length > 0
      while (!(await isSaved())) await new Promise((done) => setTimeout(done, 10))
      child.kill('SIGKILL')
      expect((await ended).signal).toBe('SIGKILL')
      const again = await command.run(...flags)
      const report = JSON.parse(again.stdout) as VerifyReport
      expect(report).toMatchObject({ outcome: 'incomplete', isResumed: true })
      expect(countsOf(report)).toEqual(countsOf(whole))
      expect(await entries(w)).toEqual(["email n'0"])
    } finally {
      command.remove()
    }
  })
})
