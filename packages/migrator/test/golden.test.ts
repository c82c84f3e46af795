import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { digestOf } from '../../prisma-extension/src/plan/digest.ts'
import { fileKeyStore } from '@rowseal/prisma-extension/stores/file'
import { sqlKeyStore } from '@rowseal/prisma-extension/stores/sql'
import { database, generatedClient, type TestDatabase } from '@rowseal/test-support'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { exportQuarantine, listRuns, status, verify, type RunEvent } from '../src/index.ts'
import { FILES, FOLDER, kept, opened, readAll, statesOf } from './golden/kept.ts'
import { drain } from './world.ts'

// This test may never be deleted, and no line of RELEASES may ever be changed or taken out. Whoever sealed a value
// with a release reads it with every later one: if a test here fails, the code is wrong, not the files.
// A release adds a line (golden/make.ts makes its files).

/** SHA-256 of the files of each release, one after the other. */
const RELEASES: Readonly<Record<string, string>> = {
  '0.1.0': '8f8b8de45c4f1374d3cb8d8796f2ec145877d9d89754f1094ae10e1ab079c830',
}

it('no release is missing, and no file of one was changed', () => {
  expect(readdirSync(FOLDER).sort()).toEqual(Object.keys(RELEASES).sort())
  for (const [version, digest] of Object.entries(RELEASES)) {
    expect(readdirSync(new URL(version, FOLDER)).sort()).toEqual([...FILES].sort())
    const hash = createHash('sha256')
    for (const name of FILES) hash.update(readFileSync(new URL(`${version}/${name}`, FOLDER)))
    expect(hash.digest('hex'), version).toBe(digest)
  }
})

describe.each(Object.keys(RELEASES))('what release %s left', (version) => {
  const { schema, plan, database: sql, keys, values } = kept(version)
  const rootKey = Buffer.from(values.rootKey, 'hex')
  let db: TestDatabase
  let client: any

  beforeEach(async () => {
    const { PrismaClient } = await generatedClient({ provider: 'sqlite', schema })
    db = await database('sqlite')
    await db.exec(sql)
    client = new PrismaClient({ adapter: db.adapter() })
  })
  afterEach(async () => {
    await client.$disconnect()
    await db.drop()
  })
  const open = (): ReturnType<typeof opened> => opened(client, plan, rootKey, sqlKeyStore(client))

  it('is read, each value as it was written', async () => {
    const { sealed } = await open()
    expect(await readAll(sealed)).toEqual({ patients: values.patients, visits: values.visits })
  })

  it('is found by its blind index', async () => {
    const { sealed } = await open()
    for (const { id, email } of values.patients as { id: number; email: string }[]) {
      const found = await sealed.patient.findUnique({ where: { email: email.toUpperCase() } })
      expect(found).toMatchObject({ id, email })
    }
  })

  it('has a plan that is read as it was written, of the schema that it was made of', () => {
    expect(digestOf(schema)).toBe(plan.digest)
    const { models } = plan.source
    expect(JSON.parse(JSON.stringify(plan.models))).toEqual(models)
    expect(Object.keys(models['Patient']!.sealed)).toEqual([
      'email',
      'phone',
      'notes',
      'scan',
      'remark',
    ])
  })

  it('has key versions in the states they were in, and seals under the active one', async () => {
    const { config, sealed } = await open()
    expect(statesOf(config.keyring)).toEqual(values.states)
    await sealed.patient.update({ where: { id: 7 }, data: { email: 'new', phone: 'new' } })
    expect(await sealed.patient.findUnique({ where: { email: 'NEW' } })).toMatchObject({ id: 7 })
    const [row] = await client.$queryRawUnsafe('SELECT email FROM Patient WHERE id = 7')
    const active = Object.entries(values.states['default']!).find(([, s]) => s === 'active')![0]
    expect(parseInt(row.email.slice(4, 12), 16)).toBe(Number(active))
  })

  it('has a run that goes on from its checkpoint, to the end', async () => {
    const { config, sealed } = await open()
    const runs = await listRuns(config)
    expect(runs.map(({ model, direction, state }) => [model, direction, state])).toEqual([
      ['Patient', 'drain', 'running'],
      ['Visit', 'verify', 'failed'],
    ])
    const events: RunEvent[] = []
    const report = await drain(config, { onEvent: (event) => void events.push(event) })
    expect(events.find(({ type }) => type === 'model')).toMatchObject({ isResumed: true })
    // Ten rows were done, ten were written under the active version; visits are drained from their start.
    expect(report).toMatchObject({ outcome: 'done', rows: 20 + 30, quarantined: 0 })
    expect((await status(config)).stale).toBe(0)
    expect(await readAll(sealed)).toEqual({ patients: values.patients, visits: values.visits })
  })

  it('has a quarantine that is read, and emptied by a verify that finds the value good', async () => {
    const { config } = await open()
    const entries = async (): Promise<unknown[]> => {
      const found: unknown[] = []
      for await (const line of exportQuarantine(config)) found.push(JSON.parse(line))
      return found
    }
    expect(await entries()).toMatchObject([
      { model: 'Visit', field: 'finding', key: ['3', `r'3`], code: 'ERR_ENVELOPE_AUTH' },
    ])
    expect(await verify(config, { restart: true })).toMatchObject({ bad: 0, badIndexes: 0 })
    expect(await entries()).toEqual([])
  })

  it('has a file of keys that opens what was sealed under them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rowseal-golden-'))
    try {
      const path = join(folder, 'keys/keys.json')
      await mkdir(join(folder, 'keys'), { mode: 0o700 })
      await writeFile(path, keys, { mode: 0o600 })
      await chmod(path, 0o600)
      const { sealed } = await opened(client, plan, rootKey, fileKeyStore(path))
      for (const { field, stored, value } of values.inFile) {
        const isBytes = field === 'Patient.scan'
        const given = isBytes ? Buffer.from(stored, 'hex') : stored
        const read = await sealed.$rowseal.open(field, given)
        expect(isBytes ? Buffer.from(read).toString('hex') : read).toBe(value)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
