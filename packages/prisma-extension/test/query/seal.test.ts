import { expect, test } from 'vitest'
import { sealAll, type SealSite } from '../../src/query/index.ts'
import type { FieldKeyring } from '../../src/keys/index.ts'
import type { Dek } from '../../src/keys/types.ts'
import { atClinic } from './clinic-walks.ts'

const clinic = atClinic()

const collected = (data: object) => clinic.collect('Patient', 'create', { data })

test('text columns get text, bytes columns bytes, and only text is noted', async () => {
  const { args, sites } = collected({ secret: 's', scan: new Uint8Array([1]) })
  const keyring: FieldKeyring = clinic.walks().keyring
  const deks = new Map<FieldKeyring, readonly Dek[]>([[keyring, await keyring.forProtect(1)]])
  const sealed = new Map<string, SealSite>()
  sealAll(sites, deks, sealed)
  const { secret, scan } = args['data'] as Record<string, unknown>
  expect(secret).toMatch(/^rs1/)
  expect(Buffer.isBuffer(scan)).toBe(true)
  expect([...sealed.keys()]).toStrictEqual([secret])
})

test('nothing is sealed without a DEK', () => {
  const { sites } = collected({ secret: 's' })
  expect(() => sealAll(sites, new Map(), null)).toThrow(TypeError)
  const keyring: FieldKeyring = clinic.walks().keyring
  expect(() => sealAll(sites, new Map([[keyring, []]]), null)).toThrow(TypeError)
})
