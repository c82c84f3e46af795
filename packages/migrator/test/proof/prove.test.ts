import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'
import { PrismaMariaDb } from '@prisma/adapter-mariadb'
import { readPage } from '@rowseal/prisma-extension/sql'
import { afterEach, describe, expect, it } from 'vitest'
import { openContext } from '../../src/config.ts'
import { ENCRYPT } from '../../src/encrypt/encrypt.ts'
import type { EncryptChange } from '../../src/encrypt/seal-rows.ts'
import { decrypt, encrypt, verify } from '../../src/index.ts'
import { proveBatch } from '../../src/proof/prove.ts'
import { leaving, opened, peopleInPlain, stored, withoutIndexes } from '../converting.ts'
import { closeWorlds, drain, PROVIDERS, world, type Provider, type World } from '../world.ts'
import { peopleOf } from './people.ts'

afterEach(closeWorlds)

const FAILED = { code: 'ERR_PROOF_FAILED' }
const PROVED = { proof: true, batchRows: 8 }

/** A trigger that cuts a column off on every update of a row from an id on, as long as nobody looks. */
async function cutOffBy({ run, provider }: World, column: string, from = 0): Promise<void> {
  const [t, c] = ['"Person"', `"${column}"`]
  const statements: Readonly<Record<Provider, readonly string[]>> = {
    postgresql: [
      `CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id >= ${from} THEN NEW.${c} := left(NEW.${c}, 70); END IF; RETURN NEW; END $$`,
      `CREATE TRIGGER cuts BEFORE UPDATE ON ${t} FOR EACH ROW EXECUTE FUNCTION cut()`,
    ],
    mysql: [
      `CREATE TRIGGER cuts BEFORE UPDATE ON ${t} FOR EACH ROW SET NEW.${c} = IF(NEW.id < ${from}, NEW.${c}, left(NEW.${c}, 70))`,
    ],
    sqlite: [
      `CREATE TRIGGER cuts AFTER UPDATE ON ${t} WHEN NEW.id >= ${from} BEGIN UPDATE ${t} SET ${c} = substr(${c}, 1, 70) WHERE id = NEW.id; END`,
    ],
  }
  await run(...statements[provider])
}

describe.each(PROVIDERS)('a proof on %s', (provider) => {
  it('changes nothing about what runs do, for fields of every kind', async () => {
    const w = await peopleInPlain(provider, 24)
    const before = await opened(w)
    expect(await encrypt(w.config, PROVED)).toMatchObject({ outcome: 'done', rows: 24 })
    await w.rotate()
    expect(await drain(w.config, PROVED)).toMatchObject({ outcome: 'done', rows: 24 })
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })
    expect(withoutIndexes(await opened(w))).toEqual(withoutIndexes(before))
    const out = await world(provider, leaving(provider), { on: w })
    expect(await decrypt(out.config, PROVED)).toMatchObject({ outcome: 'done', rows: 24 })
    expect(withoutIndexes(await stored(out))).toEqual(withoutIndexes(before))
  })

  it('catches a trigger that alters what is written, a sealed value or an index', async () => {
    const w = await peopleOf(provider, 20, 'plain')
    await cutOffBy(w, 'loginIndex')
    const before = await w.plain.person.findMany()
    await expect(encrypt(w.config, PROVED)).rejects.toMatchObject(FAILED)
    expect(await w.plain.person.findMany()).toEqual(before)
    await w.run(`DROP TRIGGER cuts${provider === 'postgresql' ? ' ON "Person"' : ''}`)
    if (provider === 'postgresql') await w.run('DROP FUNCTION cut()')

    expect(await encrypt(w.config, PROVED)).toMatchObject({ outcome: 'done' })
    await w.rotate()
    await cutOffBy(w, 'phone')
    const sealed = await w.plain.person.findMany()
    const error = await drain(w.config, PROVED).catch((thrown: unknown) => thrown as any)
    expect(error).toMatchObject({ ...FAILED, field: 'Person.phone' })
    expect(error.message).not.toContain('rs1.')
    expect(await w.plain.person.findMany()).toEqual(sealed)
  })
})

/** A configuration whose keyring makes DEKs that do not open what they seal. */
function withWrongDeks({ config, keyring }: World): World['config'] {
  const broken = new Proxy(keyring as any, {
    get: (target, name) => {
      if (name === 'forProtect')
        return async (...all: unknown[]) =>
          (await target.forProtect(...all)).map((dek: object) => ({
            ...dek,
            key: createSecretKey(randomBytes(32)),
          }))
      if (name === 'forReencrypt')
        return async (...all: unknown[]) => {
          const keys = await target.forReencrypt(...all)
          return { ...keys, sealing: { ...keys.sealing, key: createSecretKey(randomBytes(32)) } }
        }
      const value = target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { ...config, keyring: broken }
}

describe.each(PROVIDERS)('a run without a proof, on %s', (provider) => {
  it('destroys no value where a trigger alters some of what is written', async () => {
    const w = await peopleOf(provider, 20, 'plain')
    await cutOffBy(w, 'name', 15)
    await expect(encrypt(w.config, { batchRows: 5 })).rejects.toMatchObject(FAILED)
    await w.run(`DROP TRIGGER cuts${provider === 'postgresql' ? ' ON "Person"' : ''}`)
    expect(await encrypt(w.config)).toMatchObject({ outcome: 'done' })
    expect(await verify(w.config)).toMatchObject({ outcome: 'done', bad: 0, badIndexes: 0 })
  })
})

describe.runIf(PROVIDERS.includes('mysql'))(
  'a trigger that MySQL does not show to the user',
  () => {
    it('is noticed by what it makes of the first rows', async () => {
      const w = await peopleOf('mysql', 20, 'plain')
      await cutOffBy(w, 'name')
      const before = await w.plain.person.findMany()
      const name = `writer_${randomUUID().slice(0, 8)}`
      await w.run(
        `CREATE USER '${name}'@'%' IDENTIFIED BY 'sees no triggers'`,
        `GRANT SELECT, INSERT, UPDATE, DELETE ON * TO '${name}'@'%'`,
      )
      const url = new URL(w.db.url)
      url.username = name
      url.password = 'sees no triggers'
      const { PrismaClient } = await import(`${w.dir}/client/client.ts`)
      const client = new PrismaClient({ adapter: new PrismaMariaDb(url.href) })
      try {
        await expect(encrypt({ ...w.config, client })).rejects.toMatchObject(FAILED)
      } finally {
        await client.$disconnect()
        await w.run(`DROP USER '${name}'@'%'`)
      }
      expect(await w.plain.person.findMany()).toEqual(before)
    })
  },
)

describe('a proof', () => {
  const provider = 'sqlite'

  it('catches seals that do not open, which are not noticed without it', async () => {
    const w = await peopleOf(provider, 10, 'sealed')
    await w.rotate()
    const before = await w.plain.person.findMany()
    const config = withWrongDeks(w)
    await expect(drain(config, PROVED)).rejects.toMatchObject(FAILED)
    expect(await w.plain.person.findMany()).toEqual(before)
    expect((await verify(w.config)).bad).toBe(0)

    expect((await drain(config)).outcome).toBe('done')
    expect((await verify(w.config)).bad).toBe(38)
  })

  it('catches a value in the place of another one, one that is not sealed, and a foreign index', async () => {
    const w = await peopleOf(provider, 10, 'plain')
    const context = await openContext(w.config)
    const [target] = await ENCRYPT.targets(context, undefined)
    const strategy = await ENCRYPT.next(context, target!)
    const { columns } = strategy
    const request = { columns, after: null, where: null, maxRows: 10, maxBytes: 1_000_000 }
    const { rows } = await readPage(context.client, target!.table, request)
    const batch = await strategy.prepare(rows)
    await proveBatch(target!, strategy, rows, batch)

    /** With a part of a row's new values put into the place of another one's. */
    const tampered = (field: number, at: number, value?: string): typeof batch => {
      const changes = structuredClone(batch.changes) as EncryptChange[]
      const next = (row: number): any[] => changes[row]!.swaps[field]!.next as any[]
      next(3)[at] = value ?? next(4)[at]
      return { ...batch, changes }
    }
    const [name, login] = [0, 3]
    for (const [what, wrong] of [
      [/another value/, tampered(name, 0)],
      [/does not open/, tampered(name, 0, 'Name 3')],
      [/does not open/, tampered(name, 0, 'rs1.00000001.broken')],
      [/blind index/, tampered(login, 1)],
      [/blind index/, tampered(login, 1, 'no index')],
    ] as const)
      await expect(proveBatch(target!, strategy, rows, wrong)).rejects.toThrow(what)
  })
})
