import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { OpenSites, sealAll, sealValue, toPlaintext } from '../../src/query/index.ts'
import { atClinic } from './clinic-walks.ts'
import { open, stored } from './stored-rows.ts'

// What is found in a result, opened and hidden.

const { walks } = atClinic()

const patient = {
  id: 1,
  email: 'e',
  secret: 's',
  notes: { a: 1 },
  scan: new Uint8Array([1]),
  words: ['a', 'b'],
  phone: null,
}

describe('opening', () => {
  test('puts values in place of envelopes, in rows, lists and relations', async () => {
    const [row] = await stored(walks(), 'Patient', [patient])
    const [visit] = await stored(walks(), 'Visit', [{ id: 2, finding: 'f' }])
    const list = row.words
    const result = [{ ...row, visits: [visit], doctor: { patients: [{ ...row }] } }, null, 7]
    const { sites } = await open(walks(), 'Patient', result)
    const { emailIndex, emailSecond, phoneLower, phoneIndex, ...opened } = result[0]
    expect([emailIndex === null, emailSecond, phoneLower, phoneIndex]).toStrictEqual([false, null, null, null]) // prettier-ignore
    expect(opened).toMatchObject({ ...patient, visits: [{ id: 2, finding: 'f' }] })
    expect(opened.doctor.patients[0]).toMatchObject(patient)
    expect(list[0]).toMatch(/^rs1\./)
    expect(sites.stale).toStrictEqual([])
  })

  test('opens a single row, and nothing where there is none', async () => {
    const [row] = await stored(walks(), 'Patient', [patient])
    await open(walks(), 'Patient', row)
    expect(row.secret).toBe('s')
    for (const value of [null, undefined, 7, 'x', []])
      expect((await open(walks(), 'Patient', value)).chunks).toStrictEqual([])
  })

  test('asks for the key of a record once', async () => {
    const rows = await stored(walks(), 'Patient', [patient, { id: 2, secret: 't' }])
    const { chunks } = await open(walks(), 'Patient', rows)
    expect(chunks).toHaveLength(1)
    expect(chunks[0]!.wanted.get(walks().keyring)).toHaveLength(2)
    expect(chunks[0]!.sites).toHaveLength(7)
  })

  test('asks anew where a wrapped key differs in any byte, or in its key id', async () => {
    const [row] = await stored(walks(), 'Patient', [{ id: 1, secret: 's', notes: 1 }])
    const altered = Buffer.from(row.notes.slice(13), 'base64url')
    altered[60]! ^= 1
    const wantedOf = (notes: string): number => {
      const sites = new OpenSites()
      const [chunk] = [...sites.walk(walks().plan.get('Patient')!, { ...row, notes }, null)]
      return chunk!.wanted.get(walks().keyring)!.length
    }
    expect(wantedOf(row.notes)).toBe(1)
    expect(wantedOf(row.notes.slice(0, 13) + altered.toString('base64url'))).toBe(2)
    expect(wantedOf('rs1.00000077.' + row.notes.slice(13))).toBe(2)
  })

  test('hands over what was found whenever it is much, whole rows at a time', async () => {
    const rows = await stored(
      walks(),
      'Visit',
      Array.from({ length: 501 }, (_, id) => ({ id, finding: `f${id}` })),
    )
    const { chunks } = await open(walks(), 'Visit', rows)
    expect(chunks.map(({ sites }) => sites.length)).toStrictEqual([500, 1])
    expect(rows[500].finding).toBe('f500')
    const nested = await stored(
      walks(),
      'Visit',
      Array.from({ length: 501 }, (_, id) => ({ id, finding: `f${id}` })),
    )
    const below = await open(walks(), 'Patient', { id: 1, visits: nested })
    expect(below.chunks.map(({ sites }) => sites.length)).toStrictEqual([500, 1])
    expect(nested[500].finding).toBe('f500')
  })

  test('lets through plaintext where the field allows it, and nowhere else', async () => {
    const row = { id: 1, old: 'plain', oldScan: new Uint8Array([7]) }
    await open(walks(), 'Patient', row)
    expect(row).toStrictEqual({ id: 1, old: 'plain', oldScan: new Uint8Array([7]) })
    for (const value of ['plain', { a: 1 }, 7, new Uint8Array([0x52, 0x53, 1])])
      await expect(open(walks(), 'Patient', { id: 1, secret: value })).rejects.toMatchObject({
        code: 'ERR_PLAINTEXT_REFUSED',
        field: 'Patient.secret',
        message: expect.stringContaining('Patient.secret (id 1) holds'),
      })
  })

  test('passes over what objects inherit', async () => {
    const row = Object.create({ secret: () => 1 }) as object
    expect((await open(walks(), 'Patient', row)).chunks).toStrictEqual([])
  })

  test('names field and record of a value that does not open', async () => {
    const [row, other] = await stored(walks(), 'Patient', [patient, { id: 2, secret: 't' }])
    const swapped = { id: 1, secret: row.email }
    await expect(open(walks(), 'Patient', swapped)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
      field: 'Patient.secret',
      message: expect.stringContaining('Patient.secret (id 1) holds'),
    })
    await expect(open(walks(), 'Patient', { secret: row.email })).rejects.toThrow(
      'Patient.secret holds',
    )
    const cut = { id: 3, secret: other.secret.slice(0, 20) }
    await expect(open(walks(), 'Patient', cut)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_MALFORMED',
      field: 'Patient.secret',
    })
    const unknown = { id: 4, secret: 'rs1.00000077.' + other.secret.slice(13) }
    const error = await open(walks(), 'Patient', unknown).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_KEY_UNKNOWN', field: 'Patient.secret', retryable: false }) // prettier-ignore
    const { message, fix } = error as { message: string; fix: string }
    expect(message.startsWith('Patient.secret (id 4): ')).toBe(true)
    expect(message.split(fix)).toHaveLength(2)
  })

  test('needs a key for each site', () => {
    const row = { id: 1, secret: 's' }
    const field = walks().plan.get('Patient')!.sealed.get('secret')!
    expect(() =>
      sealAll(walks().collect('Patient', 'create', { data: row }).sites, new Map(), null),
    ).toThrow(TypeError)
    const sites = new OpenSites()
    const [chunk] = [
      ...sites.walk(walks().plan.get('Patient')!, { ...row, secret: envelopeOf(field, 's') }, null),
    ]
    expect(() => chunk!.open(new Map())).toThrow(TypeError)
  })
})

function envelopeOf(field: Parameters<typeof sealValue>[0], text: string): string {
  const key = { keyId: 1, suite: 0x01, wrapped: randomBytes(60) } as const
  return `rs1.0000000${key.keyId}.` + Buffer.concat([Buffer.from([1]), key.wrapped, randomBytes(12), toPlaintext(field, text), randomBytes(16)]).toString('base64url') // prettier-ignore
}

describe('hiding', () => {
  test('makes what was added invisible, where it is', () => {
    const sites = new OpenSites()
    const row = { id: 1, name: 'x', visits: [{ id: 2 }, { finding: null }] }
    const hidden = {
      fields: ['id'],
      relations: new Map([['visits', { fields: ['id'], relations: new Map() }]]),
    }
    expect([...sites.walk(walks().plan.get('Patient')!, row, hidden)]).toStrictEqual([])
    expect(Object.keys(row)).toStrictEqual(['id', 'name', 'visits'])
    sites.hide()
    expect(JSON.stringify(row)).toBe('{"name":"x","visits":[{},{"finding":null}]}')
    expect(row.id).toBe(1)
    expect(Object.hasOwn(row.visits[1]!, 'id')).toBe(false)
  })
})
