import { afterEach, describe, expect, it } from 'vitest'
import {
  cancelDestruction,
  closeKeyring,
  destroyKey,
  openKeyring,
  scheduleDestruction,
  type Keyring,
} from '../../src/keys/index.ts'
import { PROVIDERS } from './databases.ts'
import { openTenancy, type Tenancy } from './tenancy.ts'

let t: Tenancy
afterEach(() => t.close())

/** Every state that a shredded tenant goes through, to the end. */
async function shred(keyring: Keyring): Promise<void> {
  const at = new Date()
  for (const { keyId } of await closeKeyring(keyring)) await scheduleDestruction(keyring, keyId, at)
  for (const { keyId } of [...keyring.keys(), ...keyring.index.keys()])
    await destroyKey(keyring, keyId, new Date(at.getTime() + 1))
}

describe.each(PROVIDERS)('destroying the keyring of a tenant, on %s', (provider) => {
  it('leaves nothing of that tenant that opens or can be searched, and all others as they were', async () => {
    t = await openTenancy(provider)
    const { prisma, as, keyrings } = t
    for (const [i, tenant] of ['acme', 'globex'].entries())
      await as(tenant, () =>
        prisma.patient.create({ data: { id: i, email: 'a@x', city: 'Bonn', note: tenant } }),
      )
    const running = t.another()
    await as('acme', () => running.prisma.patient.findFirst({ where: { email: 'a@x' } }))
    const stored = await t.raw(0)
    await shred(await keyrings.get('tenant/acme'))
    await Promise.all(
      ['acme'].map(async (one) => (await running.keyrings.get(`tenant/${one}`)).refresh()),
    )
    await (await running.keyrings.get('tenant/acme')).index.refresh()

    const fresh = t.another()
    for (const { prisma: client } of [fresh, running, t]) {
      const reads: (() => Promise<unknown>)[] = [
        () => client.patient.findUnique({ where: { id: 0 } }),
        () => client.patient.findMany({ where: { id: 0 }, select: { city: true } }),
        () => client.patient.findUnique({ where: { email: 'a@x' } }),
        () => client.patient.findMany({ where: { city: 'Bonn' } }),
        () => client.patient.create({ data: { id: 9, email: 'b' } }),
        () => client.$rowseal.open('Patient.email', stored.email),
        () => client.$rowseal.index('Patient.cityIndex', 'Bonn'),
        () => client.$rowseal.indexEntries('Patient.email', 'a@x'),
        () => client.$rowseal.seal('Patient.email', 'b'),
      ]
      for (const read of reads)
        await expect(as('acme', read), String(read)).rejects.toMatchObject({
          code: 'ERR_KEY_STATE',
        })
      const others = await as('globex', () =>
        client.patient.findUnique({ where: { email: 'A@x' } }),
      )
      expect(others).toMatchObject({ id: 1, email: 'a@x', city: 'Bonn', note: 'globex' })
      // What is under a fixed keyring is not the tenant's.
      const select = { note: true }
      expect(await client.patient.findUnique({ where: { id: 0 }, select })).toEqual({
        note: 'acme',
      })
    }
    await as('globex', () => prisma.patient.create({ data: { id: 5, email: 'b@x' } }))
    await expect(t.every.patient.findMany()).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      field: 'Patient.email',
    })
    expect(await t.every.patient.findMany({ where: { id: { gt: 0 } } })).toHaveLength(2)
  })

  it('leaves no key that whoever holds the store and the root key could use', async () => {
    t = await openTenancy(provider)
    const { store, root, keyrings } = t
    await shred(await keyrings.get('tenant/acme'))
    for (const name of ['tenant/acme', 'tenant/acme/index']) {
      const { keys } = (await store.read(name))!
      expect(keys.map(({ state }) => state)).toEqual(['destroyed'])
      expect(keys.every(({ wrappedKek }) => wrappedKek.length === 0)).toBe(true)
    }
    const opened = await openKeyring({ root, store, name: 'tenant/acme' })
    await expect(opened.index.view()).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect(opened.forProtect(1)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    await expect(keyrings.create('tenant/acme', t.plan)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
    })
  })

  it('opens nothing from its beginning on, and everything again once it is cancelled', async () => {
    t = await openTenancy(provider)
    const { prisma, as, keyrings } = t
    await as('acme', () => prisma.patient.create({ data: { id: 1, email: 'a@x' } }))
    const keyring = await keyrings.get('tenant/acme')
    const rows = await closeKeyring(keyring)
    const at = new Date(Date.now() + 7 * 86_400_000)
    for (const { keyId } of rows) await scheduleDestruction(keyring, keyId, at)
    const read = (): Promise<any> => prisma.patient.findUnique({ where: { id: 1 } })
    await expect(as('acme', read)).rejects.toMatchObject({
      code: 'ERR_KEY_STATE',
      fix: expect.stringContaining('npx rowseal keys destroy --keyring tenant/acme --cancel'),
    })
    const [row] = rows
    await expect(destroyKey(keyring, row!.keyId)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
    for (const { keyId } of rows) await cancelDestruction(keyring, keyId)
    expect(await as('acme', read)).toMatchObject({ email: 'a@x' })
    const create = (): Promise<any> => prisma.patient.create({ data: { id: 2, city: 'Bonn' } })
    await expect(as('acme', create)).rejects.toMatchObject({ code: 'ERR_KEY_STATE' })
  })
})
