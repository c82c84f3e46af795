import { afterEach, describe, expect, it } from 'vitest'
import { inspect, rotate, status, verify, type MigratorConfig } from '../src/index.ts'
import {
  drain,
  addPatients,
  clinic,
  closeWorlds,
  PROVIDERS,
  type Provider,
  readAll,
  world,
  type World,
} from './world.ts'

afterEach(closeWorlds)

const suitesOf = async ({ plain }: World): Promise<number[]> => {
  const rows: { email: string }[] = await plain.patient.findMany()
  const suites = rows.map(({ email }) => Buffer.from(email.slice(13), 'base64url').readUInt8(0))
  return [...new Set(suites)].sort()
}
const callsOf = ({ keyring }: MigratorConfig): number => {
  const { rootKey } = (keyring as World['keyring']).stats()
  return rootKey.calls
}

describe.each(PROVIDERS)('a keyring whose DEKs the KMS wraps, on %s', (provider: Provider) => {
  it('is drained from KEK to KMS, within the KMS, and back, and verified', async () => {
    const w = await world(provider, clinic(provider))
    await addPatients(w, 120)
    const values = await readAll(w)
    for (const [wrapping, suites] of [
      ['kms', [2]],
      ['kms', [2]],
      ['kek', [1]],
    ] as const) {
      const config = await w.another({ wrapping })
      await rotate(config, { now: true })
      const before = callsOf(config)
      expect(await drain(config, { batchRows: 50 })).toMatchObject({
        outcome: 'done',
        rows: 120,
        quarantined: 0,
      })
      const calls = callsOf(config) - before
      if (wrapping === 'kms') expect(calls).toBeGreaterThanOrEqual(120)
      expect(await suitesOf(w)).toEqual(suites)
      expect((await status(config)).stale).toBe(0)
      expect(await verify(config)).toMatchObject({ outcome: 'done', bad: 0 })
      expect(await readAll(w)).toEqual(values)
    }
  })

  it('is verified value by value, and what does not open is told', async () => {
    const w = await world(provider, clinic(provider), { keyring: { wrapping: 'kms' } })
    await addPatients(w, 20)
    const row = await w.plain.patient.findFirst({ where: { number: `n'3` } })
    const bytes = Buffer.from(row.email.slice(13), 'base64url')
    bytes[10]! ^= 1 // within the blob
    const email = `${row.email.slice(0, 13)}${bytes.toString('base64url')}`
    await w.plain.patient.updateMany({ where: { number: `n'3` }, data: { email } })
    const report = await verify(w.config)
    expect(report).toMatchObject({ bad: 1 })
    expect(await verify(await w.another())).toMatchObject({ bad: 1 })
  })

  it('is inspected without a call', async () => {
    const w = await world(provider, clinic(provider), { keyring: { wrapping: 'kms' } })
    await addPatients(w, 1)
    const { email } = await w.plain.patient.findFirst()
    const calls = callsOf(w.config)
    expect(await inspect(w.config, email)).toMatchObject({
      suite: 2,
      wrappedDekBytes: 60,
      key: { keyring: 'default', version: 1, isActive: true },
    })
    expect(callsOf(w.config)).toBe(calls)
  })
})
