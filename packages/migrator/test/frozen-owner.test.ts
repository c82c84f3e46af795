import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listQuarantine, reindex, retryQuarantine, verify } from '../src/index.ts'
import type { MigratorConfig } from '../src/index.ts'
import { freeze } from './freeze.ts'
import { closeWorlds, drain, PROVIDERS, world, type World } from './world.ts'

afterAll(closeWorlds)

const BADGES = `
model Badge {
  id        Int     @id
  /// @encrypted(plaintext: allow)
  code      String
  /// @blindIndex(code)
  codeIndex String? @unique
}
`

interface Case {
  /** What the run over the badges is that is frozen, and then taken over. */
  readonly run: (config: MigratorConfig) => Promise<unknown>
  readonly before: (w: World) => Promise<unknown>
  /** While it is frozen. */
  readonly meanwhile?: (w: World) => Promise<unknown>
  /** What whoever took over leaves in quarantine. */
  readonly left: string
}

/** So that it does not open. */
const spoil = async ({ plain }: World): Promise<void> => {
  const { code } = await plain.badge.findUnique({ where: { id: 1 } })
  await plain.badge.update({ where: { id: 1 }, data: { code: `${code.slice(0, -4)}AAAA` } })
}
const mend = ({ sealed }: World): Promise<unknown> =>
  sealed.badge.update({ where: { id: 1 }, data: { code: 'mended' } })

const addSpoilt = async (w: World): Promise<void> => {
  await w.sealed.badge.create({ data: { id: 1, code: 'one' } })
  await w.rotate()
  await spoil(w)
}

const CASES: Readonly<Record<string, Case>> = {
  'reindex that ends': {
    run: (config) => reindex(config, { now: true, checkValues: true }),
    before: async (w) => {
      await addSpoilt(w)
      await reindex(w.config, { now: true, checkValues: true })
      await mend(w)
    },
    meanwhile: spoil,
    left: 'code ERR_ENVELOPE_AUTH reindex',
  },
  'drain that ends': {
    run: (config) => drain(config),
    before: async (w) => {
      await addSpoilt(w)
      await drain(w.config)
      await mend(w)
    },
    meanwhile: spoil,
    left: 'code ERR_ENVELOPE_AUTH drain',
  },
  retry: {
    run: (config) => retryQuarantine(config),
    before: async (w) => {
      await addSpoilt(w)
      await drain(w.config)
      await mend(w)
    },
    meanwhile: spoil,
    left: 'code ERR_ENVELOPE_AUTH verify',
  },
  verify: {
    run: (config) => verify(config),
    before: async (w) => {
      await addSpoilt(w)
      await verify(w.config)
      await mend(w)
    },
    meanwhile: spoil,
    left: 'code ERR_ENVELOPE_AUTH verify',
  },
}

describe.each(PROVIDERS)('the former owner of a run, frozen on %s', (provider) => {
  let w: World
  beforeAll(async () => {
    w = await world(provider, BADGES)
  })

  it.each(Object.entries(CASES))(
    'leaves the quarantine alone once it wakes: a %s',
    async (_, { run, before, meanwhile, left }) => {
      await w.run('DELETE FROM "Badge"', 'DELETE FROM rowseal_quarantine')
      await before(w)
      const wake = await freeze(w, run, REMOVES)
      await meanwhile?.(w)
      await w.run('UPDATE rowseal_parts SET heartbeat_at_ms = 0')
      await run(w.config)
      // The clock of a database may be put back, as when another server takes its place.
      await w.run('UPDATE rowseal_quarantine SET found_at_ms = found_at_ms - 3600000')
      const entries = await entriesOf(w)
      expect(entries).toContain(left)
      await wake()
      expect(await entriesOf(w)).toEqual(entries)
    },
  )

  it('does not fail the run of whoever took it over', async () => {
    await w.run('DELETE FROM "Badge"')
    await w.sealed.badge.create({ data: { id: 1, code: 'one' } })
    await w.rotate()
    const failing: Case['run'] = (config) => drain({ ...config, client: blind(config.client) })
    const wake = await freeze(w, failing, FAILS)
    await w.run('UPDATE rowseal_parts SET heartbeat_at_ms = 0')
    const goOn = await freeze(w, (config) => drain(config), ENDS_A_PASS)
    expect(await stateOf(w)).toBe('running')
    await wake()
    expect(await stateOf(w)).toBe('running')
    await goOn()
    expect(await stateOf(w)).toBe('succeeded')
  })
})

/** Its pages cannot be read. */
const blind = (client: any): any =>
  new Proxy(client, {
    get: (target, name) =>
      name !== '$queryRawUnsafe'
        ? target[name]
        : (sql: string, ...params: unknown[]) =>
            /FROM .Badge./.test(sql)
              ? Promise.reject(new Error('gone'))
              : target.$queryRawUnsafe(sql, ...params),
  })

const stateOf = async ({ plain }: World): Promise<unknown> => {
  const [run] = await plain.$queryRawUnsafe(`SELECT state FROM rowseal_runs WHERE kind = 'write'`)
  return run.state
}

const REMOVES = /^DELETE FROM rowseal_quarantine/
const FAILS = /^UPDATE rowseal_runs SET state[^]*'running'/
const ENDS_A_PASS = /^UPDATE rowseal_parts SET progress = 'swept'/

async function entriesOf({ config }: World): Promise<string[]> {
  const { entries } = await listQuarantine(config)
  return entries.map(({ field, code, direction }) => `${field} ${code} ${direction}`)
}
