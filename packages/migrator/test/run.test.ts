import { afterEach, describe, expect, expectTypeOf, it } from 'vitest'
import {
  listRuns,
  run,
  verify,
  type DirectionName,
  type Directions,
  type DrainReport,
  type ReindexEvent,
  type VerifyReport,
} from '../src/index.ts'
import { goOnWith } from '../src/cli/go-on.ts'
import { Command } from './command.ts'
import { addPatients, clinic, closeWorlds, readAll, world, type World } from './world.ts'

afterEach(closeWorlds)

const now = { now: true } as const

async function staleWorld(patients: number): Promise<World> {
  const w = await world('sqlite', clinic('sqlite'))
  await addPatients(w, patients)
  await w.rotate()
  return w
}

describe('run', () => {
  it('goes in each direction by its name', async () => {
    const w = await staleWorld(20)
    const values = await readAll(w)
    const told = new Set<string>()
    const onEvent = ({ type }: { readonly type: string }): void => {
      told.add(type)
    }
    expect(await run(w.config, 'verify', { onEvent })).toMatchObject({ rows: 20, bad: 0 })
    expect(await run(w.config, 'drain', { ...now, onEvent })).toMatchObject({ rows: 20 })
    expect(await run(w.config, 'encrypt', now)).toMatchObject({ rows: 0, outcome: 'done' })
    await expect(run(w.config, 'decrypt')).rejects.toMatchObject({ code: 'ERR_SEAL_ON' })
    await expect(run(w.config, 'rewrap')).rejects.toMatchObject({ code: 'ERR_REWRAP_REFUSED' })
    expect(await run(w.config, 'reindex')).toMatchObject({ models: [], outcome: 'done' })
    await expect(run(w.config, 'sideways' as 'drain')).rejects.toThrow(
      'A direction is one of encrypt, drain, rewrap, reindex, decrypt, verify.',
    )
    expect([...told].sort()).toEqual(['batch', 'model', 'pass'])
    expect(await readAll(w)).toEqual(values)
  })

  it('ends when its signal says so', async () => {
    const w = await staleWorld(20)
    const signal = AbortSignal.abort()
    for (const direction of ['drain', 'encrypt', 'verify'] as const)
      expect(await run(w.config, direction, { signal })).toMatchObject({ outcome: 'stopped' })
  })

  it('has the types of the direction', () => {
    const drains = (w: World): Promise<DrainReport> => run(w.config, 'drain', now)
    const verifies = (w: World): Promise<VerifyReport> => run(w.config, 'verify')
    // @ts-expect-error verify waits for nobody
    const waits = (w: World): unknown => run(w.config, 'verify', now)
    expect([drains, verifies, waits]).toHaveLength(3)
    expectTypeOf<Directions['reindex']['event']>().toEqualTypeOf<ReindexEvent>()
    expectTypeOf<DirectionName>().toEqualTypeOf<
      'encrypt' | 'drain' | 'rewrap' | 'reindex' | 'decrypt' | 'verify'
    >()
  })
})

describe('to go on with a run', () => {
  it('the same command is said, as a shell takes it, but not to begin anew', () => {
    expect(goOnWith(['drain', '--restart', '--model', 'Patient', '--shard', '2/4'])).toBe(
      'npx rowseal drain --model Patient --shard 2/4',
    )
    expect(goOnWith(['drain', '--throttle-query', `SELECT 'a b'`])).toBe(
      `npx rowseal drain --throttle-query 'SELECT '\\''a b'\\'''`,
    )
  })

  it('is told for each shard that nobody works on', async () => {
    const w = await staleWorld(30)
    const goOn = async (): Promise<unknown> => (await listRuns(w.config)).map((one) => one.goOn)
    const drain = (index: number): Promise<unknown> =>
      run(w.config, 'drain', { ...now, models: ['Patient'], shard: { index, of: 3 } })
    await drain(2)
    const command = 'npx rowseal drain --model Patient --shard'
    expect(await goOn()).toEqual([[`${command} 1/3`, `${command} 3/3`]])
    await drain(1)
    await drain(3)
    expect(await goOn()).toEqual([[]])
  })

  it('is told by a command that was interrupted, or has met what passes', async () => {
    const w = await staleWorld(200)
    const command = new Command(w)
    const model = ['--model', 'Patient', '--batch-rows', '5']
    try {
      const { child, ended } = command.start('verify', ...model, '--max-rows-per-second', '20')
      const isSaved = async (): Promise<boolean> =>
        (await w.query('SELECT 1 FROM rowseal_parts WHERE checkpoint IS NOT NULL')).length > 0
      while (!(await isSaved())) await new Promise((done) => setTimeout(done, 10))
      const second = await command.run('verify', ...model, '--restart')
      expect(second).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ERR_RUN_STATE/) })
      expect(second.stderr).toContain(`\nTo go on then: npx rowseal verify ${model.join(' ')}\n`)
      child.kill('SIGTERM')
      const first = await ended
      expect(first.code).toBe(143)
      expect(first.stderr).toContain(
        `\nTo go on: npx rowseal verify ${model.join(' ')} --max-rows-per-second 20\n`,
      )
      expect(await verify(w.config)).toMatchObject({ isResumed: true, bad: 0 })
      const refused = await command.run('decrypt')
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^ERR_SEAL_ON/) })
      expect(refused.stderr).not.toContain('To go on')
    } finally {
      command.remove()
    }
  })
})
