import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { checkRunOptions } from '../src/engine/options.ts'
import { status } from '../src/index.ts'
import { checkPace } from '../src/pace/options.ts'
import { MAX_TOGETHER } from '../src/quarantine/retry.ts'
import { Command, PROGRESS } from './command.ts'
import { addPatients, clinic, closeWorlds, PROVIDERS, readAll, world, type World } from './world.ts'

let command: Command
afterEach(async () => {
  command.remove()
  await closeWorlds()
})

async function staleWorld(provider: (typeof PROVIDERS)[number], patients: number): Promise<World> {
  const w = await world(provider, clinic(provider))
  command = new Command(w)
  await addPatients(w, patients)
  await w.rotate()
  return w
}

const checkpoint = async (w: World): Promise<string | null> =>
  (await w.query(`SELECT checkpoint FROM rowseal_parts WHERE model = 'Patient'`))[0]?.checkpoint ??
  null

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((done) => setTimeout(done, 20))
}

describe.each(PROVIDERS)('rowseal on %s', (provider) => {
  it('goes the whole way: init, rotate, drain, status, verify', async () => {
    const w = await world(provider, clinic(provider), { init: false })
    command = new Command(w)
    const ddl = await command.run('init', '--print')
    expect(ddl).toMatchObject({ code: 0, stderr: '' })
    for (const name of ['rowseal_keys', 'rowseal_keyrings', 'rowseal_runs', 'rowseal_quarantine'])
      expect(ddl.stdout).toContain(`CREATE TABLE IF NOT EXISTS ${name} (`)

    expect(await command.start('init').ended).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('created, key 1 is active'),
    })
    const again = await command.run('init', '--json')
    expect(JSON.parse(again.stdout)).toEqual({
      keyrings: [{ keyring: 'default', activeKeyId: 1, isCreated: false }],
      areRunTablesCreated: false,
      indexes: [],
    })
    await w.keyring.refresh()
    await addPatients(w, 30)
    const values = await readAll(w)

    expect((await command.run('rotate', '--now')).stderr).toContain('key 2 (version 2) is active')
    const stale = JSON.parse((await command.run('status', '--json')).stdout)
    expect(stale.stale).toBeGreaterThan(60)
    const dry = await command.run('drain', '--now', '--dry-run', '--json')
    expect(JSON.parse(dry.stdout)).toMatchObject({ rows: 30 })
    expect(dry.code).toBe(0)

    const drained = await command.run('drain', '--now', '--json')
    expect(drained.code).toBe(0)
    expect(JSON.parse(drained.stdout)).toMatchObject({ outcome: 'done', rows: 30 })
    const people = await command.start('drain', '--now').ended
    expect(people).toMatchObject({ code: 0, stdout: '' })
    expect(people.stderr).toContain('Nothing is stale.')

    const fresh = await command.run('status', '--json')
    expect(JSON.parse(fresh.stdout).stale).toBe(0)
    expect((await command.run('status')).stderr).toMatch(
      /default +1 +1 +suspended[\s\S]*Patient\.email/,
    )
    expect(JSON.parse((await command.run('verify', '--json')).stdout)).toMatchObject({
      outcome: 'done',
      bad: 0,
    })
    expect(await readAll(w)).toEqual(values)
  })

  it('says of some models what is true of these', async () => {
    const w = await staleWorld(provider, 10)
    await w.sealed.staff.create({ data: { id: 1, name: 'Ada', pin: '1' } })
    await w.rotate()
    const some = await command.run('drain', '--now', '--model', 'Patient')
    expect([some.code, some.stderr]).toEqual([
      0,
      expect.stringContaining('of these models is stale'),
    ])
    expect((await status(w.config)).stale).toBe(1)
    const sealed = await command.run('encrypt', '--now', '--model', 'Patient')
    expect(sealed.stderr).toContain('Every value of these fields is sealed.')
  })

  it('ends with 3 when a value does not open, and shows no content', async () => {
    const w = await staleWorld(provider, 5)
    const [row] = await w.query(`SELECT "select" AS value FROM "table" WHERE "order" = 'n''3'`)
    await w.run(
      `UPDATE "table" SET "select" = concat(substr("select", 1, 120), 'AAAA', substr("select", 125)) WHERE "order" = 'n''3'`,
    )
    const drained = await command.run('drain', '--now')
    expect(drained.code).toBe(3)
    const verified = await command.run('verify')
    expect(verified.code).toBe(3)
    expect(verified.stderr).toContain("Patient.email of the record 3, n'3: ERR_ENVELOPE_AUTH")
    for (const text of [drained.stderr, verified.stderr])
      expect(text).not.toContain(row.value.slice(13, 40))
  })

  it('finishes the batch in hand on Ctrl-C, says how to go on, and goes on', async () => {
    const w = await staleWorld(provider, 2000)
    const values = await readAll(w)
    const { child, ended } = command.start('drain', '--now', '--batch-rows', '10')
    await until(async () => (await checkpoint(w)) !== null)
    child.kill('SIGINT')
    const stopped = await ended
    expect(stopped).toMatchObject({ code: 130, signal: null })
    expect(stopped.stderr).toContain('To go on: npx rowseal drain')
    expect((await status(w.config)).stale).toBeGreaterThan(0)
    const [run] = await w.query(`SELECT owner, progress FROM rowseal_parts WHERE model = 'Patient'`)
    expect(run).toEqual({ owner: null, progress: 'open' })
    expect((await command.run('drain', '--now')).code).toBe(0)
    expect((await status(w.config)).stale).toBe(0)
    expect(await readAll(w)).toEqual(values)
  })

  it('killed at ten random moments and run again ends with nothing stale and every value equal', async () => {
    const w = await staleWorld(provider, 4000)
    const values = await readAll(w)
    for (let i = 0; i < 10; i++) {
      const before = await checkpoint(w)
      const { child, ended } = command.startSoon('drain', '--now', '--batch-rows', '4', '--json')
      await until(async () => (await checkpoint(w)) !== before || child.exitCode !== null)
      await new Promise((done) => setTimeout(done, Math.random() * 150))
      child.kill('SIGKILL')
      expect((await ended).signal).toBe('SIGKILL')
    }
    expect((await status(w.config)).stale).toBeGreaterThan(0)
    const last = await command.run('drain', '--now', '--json')
    expect(last.stderr.replaceAll(PROGRESS, '')).toBe('')
    expect(last.code).toBe(0)
    expect((await status(w.config)).stale).toBe(0)
    expect(await readAll(w)).toEqual(values)
  }, 180_000)

  it('tells one document for an error, and a second run from a failure', async () => {
    const w = await staleWorld(provider, 3000)
    const first = command.startSoon('drain', '--now', '--batch-rows', '10')
    await until(async () => (await checkpoint(w)) !== null)
    const second = await command.run('drain', '--now', '--json')
    expect(second.code).toBe(1)
    expect(JSON.parse(second.stdout)).toMatchObject({
      error: { code: 'ERR_RUN_STATE', fix: expect.any(String) },
    })
    expect(second.stderr).toMatch(/^ERR_RUN_STATE: Another run writes to Patient/)
    first.child.kill('SIGTERM')
    expect((await first.ended).code).toBe(143)
  })
})

describe('rowseal', () => {
  it('inspects a value without its content', async () => {
    const w = await staleWorld('sqlite', 2)
    const [row] = await w.query(
      `SELECT "select" AS email, notes, hex(scan) AS scan FROM "table" WHERE "order" = 'n''1'`,
    )
    const found = await command.run('inspect', row.email, '--json')
    expect(JSON.parse(found.stdout)).toEqual({
      form: 'text',
      keyId: 1,
      keyIdHex: '00000001',
      suite: 1,
      wrappedDekBytes: 60,
      ciphertextBytes: 1 + 'patient1@example.org'.length,
      key: {
        keyring: 'default',
        version: 1,
        state: 'suspended',
        isActive: false,
        rootKeyId: expect.stringMatching(/^local:/),
      },
    })
    expect((await command.run('inspect', row.notes)).stderr).toMatch(/form +text/)
    expect((await command.run('inspect', row.scan)).stderr).toMatch(
      /form +bytes[\s\S]*version 1, suspended/,
    )
    expect(await command.run('inspect', 'hello')).toMatchObject({ code: 2 })
    expect(await command.run('inspect', 'rs1.0000000g.AAAA')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^ERR_ENVELOPE_MALFORMED/),
    })
  })

  it('ends with 2 on misuse', async () => {
    await staleWorld('sqlite', 0)
    const misuse = [
      ['frob'],
      ['drain', '--batch-rows', 'x'],
      ['drain', '--batch-rows', '0'],
      ['drain', '--model', 'Nobody'],
      ['rotate', '--keyring', 'other'],
      [],
    ]
    for (const args of misuse) expect([args, (await command.run(...args)).code]).toEqual([args, 2])
    expect((await command.run('--help')).code).toBe(0)
    expect((await command.start('frob').ended).code).toBe(2)
    expect((await command.start('drain', '--config', 'none.ts').ended).code).toBe(2)
  })

  it('names in its help the defaults that hold', async () => {
    await staleWorld('sqlite', 0)
    const { targetBatchMs, batchRows, minBatchRows } = checkPace({})
    const { maxPasses, maxTransactionMs } = checkRunOptions({})
    const of = (n: number): string => `(default: ${n.toLocaleString('en-US')})`
    const pace = [batchRows, targetBatchMs, minBatchRows].map(of)
    const writing = [...pace, of(maxPasses), of(maxTransactionMs / 1_000)]
    const helps: readonly (readonly [string, readonly string[]])[] = [
      ['drain', writing],
      ['worker', writing],
      ['verify', pace],
      ['runs quarantine retry', [of(MAX_TOGETHER)]],
    ]
    for (const [name, defaults] of helps) {
      const { stdout } = await command.run(...name.split(' '), '--help')
      const said = stdout.replaceAll(/\s+/g, ' ')
      for (const text of defaults)
        expect([name, said]).toEqual([name, expect.stringContaining(text)])
    }
  })

  it('says what is wrong with a configuration', async () => {
    await staleWorld('sqlite', 0)
    command.write('broken.ts', 'import "./nowhere.ts"')
    command.write('empty.ts', 'export const config = 1')
    command.write('plain.mjs', 'import "./rowseal.config.ts"')
    command.write('wrong.mjs', 'export default { client: 1, plan: 2, keyring: 3 }')
    for (const [file, says] of [
      ['broken.ts', /cannot be loaded/],
      ['plain.mjs', /cannot be loaded/],
      ['empty.ts', /default export/],
      ['wrong.mjs', /client/],
    ] as const) {
      const { code, stderr } = await command.start('status', '--config', file).ended
      expect([file, code]).toEqual([file, 2])
      expect(stderr).toMatch(/^ERR_CONFIG_INVALID/)
      expect(stderr).toMatch(says)
    }
  })

  it('takes the configuration of a CommonJS project, where nothing can be awaited at the top', async () => {
    await staleWorld('sqlite', 1)
    const { text } = command
    command.write('package.json', '{ "type": "commonjs" }')
    const [exported, opened] = [/^export default (.*)$/m, /^const keyring = await /m]
    command.write(
      'rowseal.config.ts',
      text
        .replace(opened, 'const opening = ')
        .replace(exported, 'export default opening.then((keyring) => $1)'),
    )
    const promised = await command.start('status', '--json').ended
    expect(promised).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(promised.stdout).keys).toHaveLength(2)
    command.write('plain.ts', 'export default { client: 1, plan: 2, keyring: 3 }')
    const plain = await command.start('status', '--config', 'plain.ts').ended
    expect(plain.stderr).toMatch(
      /^ERR_CONFIG_INVALID: The configuration's client is no PrismaClient/,
    )
    command.write('awaiting.ts', text)
    const awaiting = await command.start('status', '--config', 'awaiting.ts').ended
    expect(awaiting.code).toBe(2)
    expect(awaiting.stderr).toMatch(/^ERR_CONFIG_INVALID[^]* CommonJS [^]*openKeyring\(/)
  })

  it('does not end without a word where something is awaited that cannot happen', async () => {
    await staleWorld('sqlite', 0)
    command.write('endless.mjs', 'await new Promise(() => {})')
    const { code, stderr } = await command.start('status', '--config', 'endless.mjs').ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/^The command ended before it was done/)
  })

  it('keeps what a configuration prints out of the document', async () => {
    await staleWorld('sqlite', 0)
    command.write(
      'chatty.ts',
      `console.log('hello')\nexport { default } from './rowseal.config.ts'`,
    )
    const { ended } = command.start('status', '--json', '--config', 'chatty.ts')
    const { stdout, stderr } = await ended
    expect(JSON.parse(stdout)).toMatchObject({ stale: 0 })
    expect(stderr).toBe('hello\n')
    for (const [args, begins] of [
      [['init', '--print'], /^CREATE TABLE/],
      [['ddl', 'fence', '1'], /^-- Key 1/],
      [['runs', 'quarantine', 'export'], /^$/],
    ] as const) {
      const printed = await command.start(...args, '--config', 'chatty.ts').ended
      expect(printed.stdout).toMatch(begins)
      expect(printed.stderr).toMatch(/^hello\n/)
    }
  })

  it('prints a document for a machine whatever it is asked', async () => {
    await staleWorld('sqlite', 0)
    const { code, stdout, stderr } = await command.run('init', '--print', '--json')
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout).statements[0]).toMatch(/^CREATE TABLE/)
    for (const args of [['drain', '--batch-rows', 'x'], ['frob']]) {
      const misuse = await command.run(...args, '--json')
      expect(misuse.code).toBe(2)
      expect(JSON.parse(misuse.stdout)).toMatchObject({
        error: { code: null, message: expect.stringContaining(args.at(-1)!) },
      })
    }
  })

  it('says so if whoever was to read the output has gone', async () => {
    await staleWorld('sqlite', 0)
    const { code, stderr } = await command.startUnread('status', '--json').ended
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^EPIPE: .*\n$/)])
  })

  it('refuses flags of a rotation that would go unheeded', async () => {
    const w = await staleWorld('sqlite', 0)
    const before = await w.query('SELECT * FROM rowseal_keys')
    for (const [args, says] of [
      [['--automatic', '90', '--now'], '--automatic goes with --root.\n'],
      [['--root', '--if-due'], '--if-due does not go with --root.\n'],
      [['--root', '--index'], '--index does not go with --root.\n'],
    ] as const)
      expect(await command.run('rotate', ...args)).toMatchObject({ code: 2, stderr: says })
    expect(await w.query('SELECT * FROM rowseal_keys')).toEqual(before)
  })

  it('refuses flags that would go unheeded in a dry run', async () => {
    await staleWorld('sqlite', 0)
    for (const [flag, value] of [
      ['--report', 'page.html'],
      ['--shard', '1/2'],
    ] as const)
      expect(await command.run('drain', '--dry-run', flag, value)).toMatchObject({
        code: 2,
        stderr: `${flag} does not go with --dry-run.\n`,
      })
  })

  it('says that the root key is the wrong one', async () => {
    const w = await staleWorld('sqlite', 1)
    const other = new Command({ ...w, rootKey: randomBytes(32) })
    const { code, stderr } = await other.start('drain', '--now').ended
    other.remove()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^ERR_KEY_MISMATCH/)
  })

  it.runIf(PROVIDERS.includes('postgresql'))('says that the database is out of reach', async () => {
    const w = await staleWorld('postgresql', 1)
    const other = new Command({
      ...w,
      db: { ...w.db, url: 'postgresql://nobody@127.0.0.1:1/none' },
    })
    const { code, stderr } = await other.start('drain', '--now').ended
    other.remove()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^ERR_KEY_UNAVAILABLE/)
  })
})
