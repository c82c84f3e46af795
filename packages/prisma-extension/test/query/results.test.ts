import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { rotate, type Opened } from '../../src/keys/index.ts'
import type { FieldKeyring } from '../../src/keys/index.ts'
import {
  OpenSites,
  sealAll,
  sealValue,
  toPlaintext,
  type Chunk,
  type SealSite,
} from '../../src/query/index.ts'
import { CLINIC, LIBRARY, planOf } from './clinic.ts'
import { walksOf, type Walks } from './walks.ts'

// What is found in a result, opened, met as stale, and hidden.

let walks: Walks
let library: Walks
beforeAll(async () => {
  ;[walks, library] = await Promise.all([walksOf(planOf(CLINIC)), walksOf(planOf(LIBRARY))])
})

/** Rows as a create of these would have stored them. */
async function stored(
  { collect, keyring }: Walks,
  model: string,
  data: object[],
  sealed: Map<string, SealSite> | null = null,
): Promise<any[]> {
  const { args, sites } = collect(model, 'createMany', { data })
  const deks = await keyring.forProtect(sites.deks.get(keyring) ?? 1)
  sealAll(sites, new Map([[keyring, deks]]), sealed)
  return args['data'] as any[]
}

const keysFor = async ({ wanted }: Chunk): Promise<Map<FieldKeyring, readonly Opened[]>> => {
  const keys = new Map<FieldKeyring, readonly Opened[]>()
  for (const [keyring, envelopes] of wanted)
    keys.set(keyring, await keyring.forProcessEach(envelopes))
  return keys
}

async function open(from: Walks, model: string, value: unknown, sites = new OpenSites()) {
  const chunks: Chunk[] = []
  for (const chunk of sites.walk(from.plan.get(model)!, value, null)) {
    chunk.open(await keysFor(chunk))
    chunks.push(chunk)
  }
  return { sites, chunks }
}

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
    const [row] = await stored(walks, 'Patient', [patient])
    const [visit] = await stored(walks, 'Visit', [{ id: 2, finding: 'f' }])
    const list = row.words
    const result = [{ ...row, visits: [visit], doctor: { patients: [{ ...row }] } }, null, 7]
    const { sites } = await open(walks, 'Patient', result)
    const { emailIndex, emailSecond, phoneLower, phoneIndex, ...opened } = result[0]
    expect([emailIndex === null, emailSecond, phoneLower, phoneIndex]).toStrictEqual([false, null, null, null]) // prettier-ignore
    expect(opened).toMatchObject({ ...patient, visits: [{ id: 2, finding: 'f' }] })
    expect(opened.doctor.patients[0]).toMatchObject(patient)
    expect(list[0]).toMatch(/^rs1\./)
    expect(sites.stale).toStrictEqual([])
  })

  test('opens a single row, and nothing where there is none', async () => {
    const [row] = await stored(walks, 'Patient', [patient])
    await open(walks, 'Patient', row)
    expect(row.secret).toBe('s')
    for (const value of [null, undefined, 7, 'x', []])
      expect((await open(walks, 'Patient', value)).chunks).toStrictEqual([])
  })

  test('asks for the key of a record once', async () => {
    const rows = await stored(walks, 'Patient', [patient, { id: 2, secret: 't' }])
    const { chunks } = await open(walks, 'Patient', rows)
    expect(chunks).toHaveLength(1)
    expect(chunks[0]!.wanted.get(walks.keyring)).toHaveLength(2)
    expect(chunks[0]!.sites).toHaveLength(7)
  })

  test('asks anew where a wrapped key differs in any byte, or in its key id', async () => {
    const [row] = await stored(walks, 'Patient', [{ id: 1, secret: 's', notes: 1 }])
    const altered = Buffer.from(row.notes.slice(13), 'base64url')
    altered[60]! ^= 1
    const wantedOf = (notes: string): number => {
      const sites = new OpenSites()
      const [chunk] = [...sites.walk(walks.plan.get('Patient')!, { ...row, notes }, null)]
      return chunk!.wanted.get(walks.keyring)!.length
    }
    expect(wantedOf(row.notes)).toBe(1)
    expect(wantedOf(row.notes.slice(0, 13) + altered.toString('base64url'))).toBe(2)
    expect(wantedOf('rs1.00000077.' + row.notes.slice(13))).toBe(2)
  })

  test('hands over what was found whenever it is much, whole rows at a time', async () => {
    const rows = await stored(
      walks,
      'Visit',
      Array.from({ length: 2001 }, (_, id) => ({ id, finding: `f${id}` })),
    )
    const { chunks } = await open(walks, 'Visit', rows)
    expect(chunks.map(({ sites }) => sites.length)).toStrictEqual([2000, 1])
    expect(rows[2000].finding).toBe('f2000')
    const nested = await stored(
      walks,
      'Visit',
      Array.from({ length: 2001 }, (_, id) => ({ id, finding: `f${id}` })),
    )
    const below = await open(walks, 'Patient', { id: 1, visits: nested })
    expect(below.chunks.map(({ sites }) => sites.length)).toStrictEqual([2000, 1])
    expect(nested[2000].finding).toBe('f2000')
  })

  test('lets through plaintext where the field allows it, and nowhere else', async () => {
    const row = { id: 1, old: 'plain', oldScan: new Uint8Array([7]) }
    await open(walks, 'Patient', row)
    expect(row).toStrictEqual({ id: 1, old: 'plain', oldScan: new Uint8Array([7]) })
    for (const value of ['plain', { a: 1 }, 7, new Uint8Array([0x52, 0x53, 1])])
      await expect(open(walks, 'Patient', { id: 1, secret: value })).rejects.toMatchObject({
        code: 'ERR_PLAINTEXT_REFUSED',
        field: 'Patient.secret',
        message: expect.stringContaining('Patient.secret (id 1) holds'),
      })
  })

  test('passes over what objects inherit', async () => {
    const row = Object.create({ secret: () => 1 }) as object
    expect((await open(walks, 'Patient', row)).chunks).toStrictEqual([])
  })

  test('names field and record of a value that does not open', async () => {
    const [row, other] = await stored(walks, 'Patient', [patient, { id: 2, secret: 't' }])
    const swapped = { id: 1, secret: row.email }
    await expect(open(walks, 'Patient', swapped)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
      field: 'Patient.secret',
      message: expect.stringContaining('Patient.secret (id 1) holds'),
    })
    await expect(open(walks, 'Patient', { secret: row.email })).rejects.toThrow(
      'Patient.secret holds',
    )
    const cut = { id: 3, secret: other.secret.slice(0, 20) }
    await expect(open(walks, 'Patient', cut)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_MALFORMED',
      field: 'Patient.secret',
    })
    const unknown = { id: 4, secret: 'rs1.00000077.' + other.secret.slice(13) }
    const error = await open(walks, 'Patient', unknown).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'ERR_KEY_UNKNOWN', field: 'Patient.secret', retryable: false }) // prettier-ignore
    const { message, fix } = error as { message: string; fix: string }
    expect(message.startsWith('Patient.secret (id 4): ')).toBe(true)
    expect(message.split(fix)).toHaveLength(2)
  })

  test('needs a key for each site', () => {
    const row = { id: 1, secret: 's' }
    const field = walks.plan.get('Patient')!.sealed.get('secret')!
    expect(() =>
      sealAll(walks.collect('Patient', 'create', { data: row }).sites, new Map(), null),
    ).toThrow(TypeError)
    const sites = new OpenSites()
    const [chunk] = [
      ...sites.walk(walks.plan.get('Patient')!, { ...row, secret: envelopeOf(field, 's') }, null),
    ]
    expect(() => chunk!.open(new Map())).toThrow(TypeError)
  })
})

function envelopeOf(field: Parameters<typeof sealValue>[0], text: string): string {
  const key = { keyId: 1, suite: 0x01, wrapped: randomBytes(60) } as const
  return `rs1.0000000${key.keyId}.` + Buffer.concat([Buffer.from([1]), key.wrapped, randomBytes(12), toPlaintext(field, text), randomBytes(16)]).toString('base64url') // prettier-ignore
}

describe('what this operation sealed itself', () => {
  test('is not opened when it comes back in its field', async () => {
    const sealed = new Map<string, SealSite>()
    const [row] = await stored(walks, 'Patient', [{ id: 1, secret: 's', notes: { a: 1 } }], sealed)
    expect(sealed.size).toBe(2)
    const { chunks } = await open(walks, 'Patient', row, new OpenSites(sealed))
    expect(chunks).toStrictEqual([])
    expect(row).toMatchObject({ secret: 's', notes: { a: 1 } })
  })

  test('is opened, and so refused, when it comes back in another', async () => {
    const sealed = new Map<string, SealSite>()
    const [row] = await stored(walks, 'Patient', [{ id: 1, secret: 's' }], sealed)
    const moved = { id: 1, notes: row.secret }
    await expect(open(walks, 'Patient', moved, new OpenSites(sealed))).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_AUTH',
    })
  })

  test('is opened, and so refused, when it comes back in another record than it is bound to', async () => {
    const sealed = new Map<string, SealSite>()
    const id = '00000000-0000-4000-8000-000000000001'
    const [row] = await stored(library, 'Note', [{ id, tenantId: 1, text: 't' }], sealed)
    const same = { ...row }
    await open(library, 'Note', same, new OpenSites(sealed))
    expect(same.text).toBe('t')
    await expect(
      open(library, 'Note', { ...row, tenantId: 2 }, new OpenSites(sealed)),
    ).rejects.toMatchObject({ code: 'ERR_ENVELOPE_AUTH', field: 'Note.text' })
    await expect(open(library, 'Note', { id, text: row.text })).rejects.toThrow(TypeError)
  })
})

describe('stale values', () => {
  test('are met with the key of their record and what is stored', async () => {
    const [row, second] = await stored(walks, 'Patient', [
      { id: 1, secret: 's', words: ['a', 'b'] },
      { secret: 't' },
    ])
    const before = { ...row, words: [...row.words] }
    const former = walks.keyring.activeKeyId
    await rotate(walks.keyring)
    const [fresh] = await stored(walks, 'Patient', [{ id: 3, secret: 'u' }])
    const mixed = { ...fresh, id: 4, words: [fresh.secret, row.words[0]] }
    const { sites } = await open(walks, 'Patient', [row, second, fresh])
    expect(walks.keyring.activeKeyId).not.toBe(former)
    expect(sites.stale).toStrictEqual([
      {
        model: walks.plan.get('Patient'),
        key: [1],
        fields: [
          { field: expect.objectContaining({ name: 'secret' }), stored: before.secret, bound: [] },
          { field: expect.objectContaining({ name: 'words' }), stored: before.words, bound: [] },
        ],
      },
    ])
    const list = new OpenSites()
    const [chunk] = [...list.walk(walks.plan.get('Patient')!, mixed, null)]
    expect(chunk!.sites).toHaveLength(3)
    expect(list.stale.map(({ fields }) => fields.map(({ field }) => field.name))).toStrictEqual([['words']]) // prettier-ignore
    const first = new OpenSites()
    const other = { id: 5, words: [row.secret === 's' ? before.words[1] : '', fresh.words] }
    other.words.pop()
    expect([...first.walk(walks.plan.get('Patient')!, { ...other, words: [before.words[0], mixed.words[0]] }, null)]).toHaveLength(1) // prettier-ignore
    expect(first.stale).toHaveLength(1)
  })
})

describe('hiding', () => {
  test('makes what was added invisible, where it is', () => {
    const sites = new OpenSites()
    const row = { id: 1, name: 'x', visits: [{ id: 2 }, { finding: null }] }
    const hidden = {
      fields: ['id'],
      relations: new Map([['visits', { fields: ['id'], relations: new Map() }]]),
    }
    expect([...sites.walk(walks.plan.get('Patient')!, row, hidden)]).toStrictEqual([])
    expect(Object.keys(row)).toStrictEqual(['id', 'name', 'visits'])
    sites.hide()
    expect(JSON.stringify(row)).toBe('{"name":"x","visits":[{},{"finding":null}]}')
    expect(row.id).toBe(1)
    expect(Object.hasOwn(row.visits[1]!, 'id')).toBe(false)
  })
})
