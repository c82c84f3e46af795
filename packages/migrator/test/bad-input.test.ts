import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { PrismaPg } from '@prisma/adapter-pg'
import { openKeyring, rowseal } from '@rowseal/prisma-extension'
import { scheduleDestruction } from '@rowseal/prisma-extension/keys'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { chmodSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  decrypt,
  destroyKey,
  init,
  listQuarantine,
  planDrain,
  planRun,
  retireKey,
  retryQuarantine,
  rotate,
  status,
  verify,
} from '../src/index.ts'
import { Command } from './command.ts'
import { closeWorlds, drain, PROVIDERS, world, type Provider, type World } from './world.ts'

afterAll(closeWorlds)

const secrets = (option = ''): string => `
model Secret {
  id   Int     @id
  /// @encrypted${option}
  text String?
}
`
const stored = ({ plain }: World): Promise<any[]> =>
  plain.secret.findMany({ orderBy: { id: 'asc' } })

async function staleSecrets(provider: Provider): Promise<World> {
  const w = await world(provider, secrets())
  const data = Array.from({ length: 10 }, (_, id) => ({ id, text: `Secret ${id}` }))
  await w.sealed.secret.createMany({ data })
  await w.rotate()
  return w
}

describe.each(PROVIDERS)('bad input on %s', (provider) => {
  it('goes into quarantine if it is under a destroyed key, which summary, plan and verify name', async () => {
    const w = await staleSecrets(provider)
    const backup = await stored(w)
    const keyId = w.keyring.staleKeyIds()[0]!
    await drain(w.config)
    await retireKey(w.config, keyId, { now: true })
    await scheduleDestruction(w.keyring, keyId, new Date(0))
    await destroyKey(w.config, keyId, { confirm: () => Promise.resolve(true) })
    for (const { id, text } of backup.slice(0, 2))
      await w.plain.secret.update({ where: { id }, data: { text } })
    const before = await stored(w)
    const command = new Command(w)
    const unreadable = [{ field: 'Secret.text', keyring: 'default', keyId, count: 2 }]
    const named =
      /2 of Secret\.text are under key \d+ of keyring "default", which is destroyed.* Restore them/
    const plan = await planDrain(w.config)
    expect(plan).toMatchObject({ rows: 0, unreadable, models: [{ byField: [{ changing: 0 }] }] })
    expect((await command.run('drain', '--dry-run')).stderr).toMatch(named)
    expect(await verify(w.config)).toMatchObject({ bad: 2, unreadable })
    for (const args of [['drain', '--now'], ['verify']]) {
      const { code, stderr } = await command.run(...args)
      expect([args[0], code]).toEqual([args[0], 3])
      expect(stderr).toMatch(named)
      const { entries } = await listQuarantine(w.config)
      expect(entries.map(({ key, code: of }) => [...key, of])).toEqual([
        ['0', 'ERR_KEY_STATE'],
        ['1', 'ERR_KEY_STATE'],
      ])
    }
    command.remove()
    expect(await retryQuarantine(w.config)).toMatchObject({ outcome: 'incomplete', left: 2 })
    expect(await stored(w)).toEqual(before)
    const leaving = await world(provider, secrets('(seal: off)'), { on: w, init: false })
    expect(await planRun(leaving.config, 'decrypt')).toMatchObject({
      unreadable,
      models: [{ byField: [{ changing: 8 }] }],
    })
    expect(await decrypt(leaving.config)).toMatchObject({
      outcome: 'incomplete',
      rows: 8,
      quarantined: 2,
      unreadable,
    })
    expect((await stored(w)).slice(0, 2)).toEqual(before.slice(0, 2))
  })

  it('is a database that is read-only, which is said, and nothing changes', async ({ skip }) => {
    const w = await staleSecrets(provider)
    const before = await stored(w)
    const readOnly = await connectReadOnly(w)
    if (readOnly === null) skip('every user may write here')
    const error = await drain(readOnly!.config).catch((thrown: unknown) => thrown)
    await readOnly!.end()
    expect(error).toMatchObject({ name: 'MigrationError', code: 'ERR_DATABASE_FAILED' })
    expect((error as Error).message).toMatch(/^The database is read-only \(/)
    expect(await stored(w)).toEqual(before)
  })

  it.skipIf(provider === 'sqlite')(
    'is a column that is too short, before a row is read',
    async () => {
      const w = await staleSecrets(provider)
      const [column, type] = provider === 'mysql' ? ['MODIFY text', ''] : ['ALTER text', 'TYPE ']
      await w.run(`DELETE FROM "Secret"`, `ALTER TABLE "Secret" ${column} ${type}VARCHAR(100)`)
      const command = new Command(w)
      const { code, stderr, stdout } = await command.run('drain', '--now')
      const json = await command.run('drain', '--now', '--json')
      command.remove()
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(
        /^ERR_PLAN_DATABASE: Secret\.text: column .text. of .Secret. holds 100 /,
      )
      expect(stderr).toMatch(/Widen the column by a migration\.\n$/)
      expect(json.code).toBe(1)
      expect(JSON.parse(json.stdout)).toMatchObject({
        error: { code: 'ERR_PLAN_DATABASE', field: 'Secret.text' },
      })
    },
  )
})

it.runIf(PROVIDERS.includes('postgresql'))(
  'a user from whom row-level security may hide rows is refused by whatever looks for values',
  async () => {
    const w = await staleSecrets('postgresql')
    const keyId = w.keyring.staleKeyIds()[0]!
    const role = `hidden_${process.pid}`
    await w.run(
      `CREATE ROLE ${role}`,
      `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role}`,
      'ALTER TABLE "Secret" ENABLE ROW LEVEL SECURITY',
      `CREATE POLICY one ON "Secret" USING (id = 1)`,
    )
    const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
    const adapter = new PrismaPg({ connectionString: w.db.url, options: `-c role=${role}` })
    const config = { ...w.config, client: new PrismaClient({ adapter }) }
    const refused = {
      code: 'ERR_PLAN_DATABASE',
      message: expect.stringMatching(/row-level security may hide rows of "Secret"/),
    }
    try {
      await expect(drain(config)).rejects.toMatchObject(refused)
      await expect(verify(config)).rejects.toMatchObject(refused)
      await expect(retireKey(config, keyId, { now: true })).rejects.toMatchObject(refused)
      await w.run(`ALTER ROLE ${role} BYPASSRLS`)
      expect(await drain(config)).toMatchObject({ outcome: 'done', rows: 10 })
      await retireKey(config, keyId, { now: true })
    } finally {
      await config.client.$disconnect()
      await w.run(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`)
    }
  },
)

it.runIf(PROVIDERS.includes('postgresql'))(
  'a table of the same name in another schema is not taken for that of the application',
  async () => {
    const w = await world('postgresql', secrets())
    const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
    const connectionString = w.db.url
    const open = async (options: string | undefined, schema?: string): Promise<World> => {
      const adapter = new PrismaPg(
        { connectionString, ...(options && { options }) },
        { ...(schema && { schema }) },
      )
      const client = new PrismaClient({ adapter })
      const keyring = await openKeyring({
        root: localRootKey({ key: w.rootKey }),
        store: sqlKeyStore(client),
      })
      const sealed = client.$extends(rowseal({ plan: w.config.plan, keyring }))
      return { ...w, plain: client, sealed, keyring, config: { ...w.config, client, keyring } }
    }
    await w.run('CREATE SCHEMA app', 'CREATE TABLE app."Secret" (LIKE "Secret" INCLUDING ALL)')
    const same = await open('-c search_path=app,public', 'app')
    const named = await open('-c search_path=app,public', 'public')
    const other = await open('-c search_path=app,public')
    const refused = {
      code: 'ERR_PLAN_DATABASE',
      message: expect.stringContaining('works on "public"."Secret"'),
      fix: expect.stringContaining("{ schema: 'public' }"),
    }
    try {
      await expect(init(other.config)).rejects.toMatchObject(refused)
      await init(same.config)
      await same.sealed.secret.createMany({ data: [{ id: 1, text: 'one' }] })
      await rotate(same.config, { now: true })
      for (const run of [drain, verify, status, planDrain])
        await expect(run(other.config)).rejects.toMatchObject(refused)
      await expect(retireKey(other.config, 1, { now: true })).rejects.toMatchObject(refused)
      expect(await verify(named.config)).toMatchObject({ outcome: 'done', opened: 0 })
      expect(await drain(same.config)).toMatchObject({ outcome: 'done', rows: 1 })
      await retireKey(same.config, 1, { now: true })
      await w.run('DROP TABLE public."Secret"')
      expect(await verify(other.config)).toMatchObject({ outcome: 'done', opened: 1 })
    } finally {
      for (const { plain } of [same, named, other]) await plain.$disconnect()
    }
  },
)

it.runIf(PROVIDERS.includes('postgresql'))(
  'a user who may not create tables is told by init how somebody else can',
  async () => {
    const w = await world('postgresql', secrets(), { init: false })
    const role = `creates_nothing_${process.pid}`
    await w.run(
      `CREATE ROLE ${role}`,
      `GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA public TO ${role}`,
      'REVOKE CREATE ON SCHEMA public FROM PUBLIC',
    )
    const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
    const adapter = new PrismaPg({ connectionString: w.db.url, options: `-c role=${role}` })
    const client = new PrismaClient({ adapter })
    const keyring = await openKeyring({
      root: localRootKey({ key: w.rootKey }),
      store: sqlKeyStore(client),
    })
    try {
      await expect(init({ ...w.config, client, keyring })).rejects.toMatchObject({
        code: 'ERR_KEY_UNAVAILABLE',
        retryable: false,
        fix: expect.stringContaining('npx rowseal init --print'),
      })
    } finally {
      await client.$disconnect()
      await w.run(`DROP OWNED BY ${role}`, `DROP ROLE ${role}`)
    }
  },
)

it('a plan without sealed fields is told, and proves nothing of a key', async () => {
  const w = await world('sqlite', 'model Country {\n  code String @id\n}')
  const command = new Command(w)
  const none = 'The plan has no sealed fields.\n'
  expect(await command.run('drain', '--now')).toMatchObject({ code: 0, stderr: none })
  expect((await command.run('encrypt')).stderr).toContain('the plan has no fields that are to be')
  await w.rotate()
  const { stderr } = await command.run('keys', 'retire', '1', '--now')
  command.remove()
  expect(stderr).toContain('No proof: the database does not refuse values under it in any column.')
  expect(stderr).not.toContain('Proof:')
})

it('a shard that there is not is misuse', async () => {
  const w = await world('sqlite', secrets())
  const command = new Command(w)
  for (const shard of ['9/8', '0/4', '1/0', '-1/2', '1', 'a/b'])
    for (const name of ['encrypt', 'drain', 'decrypt', 'verify']) {
      const { code, stderr } = await command.run(name, `--shard=${shard}`)
      expect([name, shard, code]).toEqual([name, shard, 2])
      expect(stderr).toContain('It must be such as 1/4, up to 4/4.')
    }
  command.remove()
})

it('a reindex in parts is misuse, and says why', async () => {
  const w = await world('sqlite', secrets())
  const command = new Command(w)
  for (const flags of [['--shard', '1/2'], ['--queue'], ['--queue', '--dry-run']]) {
    const { code, stdout, stderr } = await command.run('reindex', ...flags)
    expect([flags, code, stdout]).toEqual([flags, 2, ''])
    expect(stderr).toContain('one pass over the whole table')
  }
  command.remove()
})

interface ReadOnly {
  readonly config: World['config']
  end(): Promise<void>
}

/** As somebody whom the server, or the file, lets read only. Null if that cannot be had here. */
async function connectReadOnly(w: World): Promise<ReadOnly | null> {
  if (w.provider === 'postgresql') {
    await w.run(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`,
    )
    return { config: await w.another(), end: () => Promise.resolve() }
  }
  if (w.provider === 'mysql') {
    const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
    const { hostname: host, port, username: user, password, pathname } = new URL(w.db.url)
    const adapter = new PrismaMariaDb({
      ...{ host, port: Number(port), user, password: decodeURIComponent(password) },
      database: pathname.slice(1),
      initSql: 'SET SESSION TRANSACTION READ ONLY',
    })
    const client = new PrismaClient({ adapter })
    return { config: { ...w.config, client }, end: () => client.$disconnect() }
  }
  const folder = w.db.folder!
  const files = readdirSync(folder).map((name) => join(folder, name))
  const modes = (file: number, own: number): void => {
    for (const name of files) chmodSync(name, file)
    chmodSync(folder, own)
  }
  const NOBODY = 65_534
  modes(0o444, 0o555)
  // Root may write whatever the mode.
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid!(NOBODY)
  return {
    config: await w.another(),
    end: () => {
      if (isRoot) process.seteuid!(0)
      modes(0o644, 0o755)
      return Promise.resolve()
    },
  }
}
