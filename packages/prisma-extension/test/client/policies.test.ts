import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rowseal } from '../../src/index.ts'
import { rotate } from '../../src/keys/index.ts'
import { HAS, openSealed, PROVIDERS, type Provider, type SealedDatabase } from './databases.ts'

const schema = (provider: Provider): string => `
model Moving {
  id    Int    @id
  n     Int?
  /// @encrypted(plaintext: allow)
  text  String?
  /// @encrypted(plaintext: allow)
  json  Json?
  /// @encrypted(plaintext: allow)
  bytes Bytes?
${
  !HAS[provider].lists
    ? ''
    : `
  /// @encrypted(plaintext: allow)
  words String[]
  /// @encrypted(plaintext: allow)
  docs  Json[]
  /// @encrypted(plaintext: allow)
  blobs Bytes[]`
}
}
model Leaving {
  id    Int    @id
  /// @encrypted(seal: off)
  text  String? @default("plain default")
  /// @encrypted(seal: off)
  json  Json?
  /// @encrypted(seal: off)
  bytes Bytes?
  ${!HAS[provider].lists ? '' : '/// @encrypted(seal: off)\n  words String[]'}
}
model Rings {
  id    Int    @id
  /// @encrypted
  a     String?
  /// @encrypted(keyring: "other")
  b     String?
  /// @encrypted(keyring: "other", pad: 64)
  c     Json?
}
model Renamed {
  id    Int    @id
  /// @encrypted(id: "Former.name", pad: 16)
  text  String?
}
`

const isSealed = (value: unknown): boolean =>
  typeof value === 'string'
    ? value.startsWith('rs1.')
    : value instanceof Uint8Array && value[0] === 0x52 && value[1] === 0x53
const keyId = (value: unknown): string => String(value).slice(4, 12)
const code = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: any) => error.code,
  )

describe.each(PROVIDERS)('policies of fields, on %s', (provider) => {
  const { lists } = HAS[provider]
  let sealed: SealedDatabase
  let prisma: any
  let base: any
  beforeAll(async () => {
    sealed = await openSealed(provider, schema(provider), { keyrings: ['other'] })
    ;({ prisma, base } = sealed)
  })
  afterAll(() => sealed.close())

  describe('plaintext: allow', () => {
    const plain = {
      id: 1,
      text: 'plain text',
      json: { a: [1, null], s: 'x' },
      bytes: new Uint8Array([1, 2]),
      ...(lists && { words: ['a', ''], docs: [{ a: 1 }, 'x', 5, null], blobs: [] }),
    }
    beforeEach(() => base.moving.create({ data: plain }))
    afterEach(() => base.moving.deleteMany())

    it('reads plaintext as it is, in every type', async () => {
      const expected = { n: null, ...plain }
      expect(await prisma.moving.findUnique({ where: { id: 1 } })).toEqual(expected)
      expect(await prisma.moving.update({ where: { id: 1 }, data: { n: 2 } })).toEqual({
        ...expected,
        n: 2,
      })
    })

    it('seals what is written', async () => {
      const data = { text: 'new', json: 'text', bytes: new Uint8Array([9]) }
      await prisma.moving.update({ where: { id: 1 }, data })
      const row = await base.moving.findUnique({ where: { id: 1 } })
      expect(['text', 'json', 'bytes'].map((name) => isSealed(row[name]))).toEqual([
        true,
        true,
        true,
      ])
      expect(await prisma.moving.findUnique({ where: { id: 1 } })).toMatchObject(data)
    })

    it('refuses what starts like an envelope and is none', async () => {
      await base.moving.update({ where: { id: 1 }, data: { text: 'rs1.something' } })
      expect(await code(prisma.moving.findMany())).toBe('ERR_ENVELOPE_MALFORMED')
    })

    it('is never sealed by re-encryption, beside stale values in its record either', async () => {
      await prisma.moving.update({ where: { id: 1 }, data: { json: { sealed: true } } })
      if (lists) {
        // A list of both: what was there, and envelopes.
        await prisma.moving.update({
          where: { id: 1 },
          data: { docs: { push: { b: 2 } }, words: { push: 'c' } },
        })
      }
      const before = await base.moving.findUnique({ where: { id: 1 } })
      await rotate(sealed.keyring)
      const expected = await prisma.moving.findUnique({ where: { id: 1 } })
      const { done } = prisma.$rowseal.stats().reencryption
      expect(await prisma.$rowseal.flush()).toBe(true)
      expect(prisma.$rowseal.stats().reencryption).toMatchObject({ done: done + 1, failed: 0 })
      const row = await base.moving.findUnique({ where: { id: 1 } })
      expect(row).toMatchObject({ text: 'plain text', bytes: new Uint8Array([1, 2]) })
      expect(keyId(row.json)).not.toBe(keyId(before.json))
      if (lists) {
        expect(row.docs.slice(0, 4)).toEqual(plain.docs)
        expect(row.words.slice(0, 2)).toEqual(plain.words)
        expect(keyId(row.docs[4])).toBe(keyId(row.json))
        expect(keyId(row.words[2])).toBe(keyId(row.json))
      }
      expect(await prisma.moving.findUnique({ where: { id: 1 } })).toEqual(expected)
    })

    it('is not queued when nothing in the record is sealed', async () => {
      const before = prisma.$rowseal.stats().reencryption
      await prisma.moving.findMany()
      expect(await prisma.$rowseal.flush()).toBe(true)
      expect(prisma.$rowseal.stats().reencryption).toEqual(before)
      expect(await base.moving.findUnique({ where: { id: 1 } })).toMatchObject(plain)
    })

    it('refuses filters all the same', async () => {
      const { moving } = prisma
      expect(await code(moving.findMany({ where: { text: 'plain text' } }))).toBe(
        'ERR_QUERY_UNSUPPORTED',
      )
      expect(await moving.count({ where: { text: { not: null } } })).toBe(1)
    })
  })

  describe('seal: off', () => {
    const data = {
      text: 'plain',
      json: { a: 1 },
      bytes: new Uint8Array([1]),
      ...(lists && { words: ['a'] }),
    }
    afterEach(() => base.leaving.deleteMany())

    it('writes plaintext and reads it', async () => {
      expect(await prisma.leaving.create({ data: { id: 1, ...data } })).toEqual({ id: 1, ...data })
      expect(await base.leaving.findUnique({ where: { id: 1 } })).toEqual({ id: 1, ...data })
      const update = {
        text: { set: 'x' },
        json: { set: 1 },
        ...(lists && { words: { push: ['b'] } }),
      }
      await prisma.leaving.update({ where: { id: 1 }, data: update })
      expect(await base.leaving.findUnique({ where: { id: 1 } })).toMatchObject({
        text: 'x',
        json: { set: 1 },
        ...(lists && { words: ['a', 'b'] }),
      })
      expect((await prisma.leaving.create({ data: { id: 2 } })).text).toBe('plain default')
      expect(
        (await prisma.leaving.update({ where: { id: 2 }, data: { text: null } })).text,
      ).toBeNull()
    })

    it('opens what was sealed before', async () => {
      const [text, json, bytes] = await Promise.all([
        prisma.$rowseal.seal('Leaving.text', 'before'),
        prisma.$rowseal.seal('Leaving.json', [1]),
        prisma.$rowseal.seal('Leaving.bytes', new Uint8Array([7])),
      ])
      await base.leaving.create({ data: { id: 1, text, json, bytes } })
      expect(await prisma.leaving.findUnique({ where: { id: 1 } })).toMatchObject({
        text: 'before',
        json: [1],
        bytes: new Uint8Array([7]),
      })
    })

    it('refuses to write what would be opened when it is read', async () => {
      const stolen = await prisma.$rowseal.seal('Leaving.text', 'of somebody else')
      const { leaving } = prisma
      const bytes = await prisma.$rowseal.seal('Leaving.bytes', new Uint8Array([7]))
      const values = [
        { text: stolen },
        { text: 'rs1.' },
        { json: stolen },
        { bytes },
        { bytes: Buffer.from(bytes).toString('base64') },
        ...(lists ? [{ words: ['a', stolen] }, { words: { set: [stolen] } }] : []),
      ]
      for (const value of values) {
        const error = await leaving
          .create({ data: { id: 1, ...value } })
          .catch((thrown: unknown) => thrown)
        expect(error).toMatchObject({ name: 'QueryError', code: 'ERR_VALUE_INVALID' })
        expect(error.message).not.toContain(stolen)
      }
      await leaving.create({ data: { id: 1, json: { in: stolen }, text: ' rs1.' } })
      for (const value of [
        { text: { set: stolen } },
        ...(lists ? [{ words: { push: stolen } }] : []),
      ]) {
        expect(await code(leaving.update({ where: { id: 1 }, data: value }))).toBe(
          'ERR_VALUE_INVALID',
        )
        expect(await code(leaving.updateMany({ data: value }))).toBe('ERR_VALUE_INVALID')
      }
    })
  })

  describe('several keyrings', () => {
    afterEach(() => base.rings.deleteMany())

    it('seal each field under its own, and open it', async () => {
      const data = { a: 'in default', b: 'in other', c: { x: 1 } }
      expect(await prisma.rings.create({ data: { id: 1, ...data } })).toEqual({ id: 1, ...data })
      const row = await base.rings.findUnique({ where: { id: 1 } })
      const { default: one, other } = sealed.keyrings
      expect(Number(`0x${keyId(row.a)}`)).toBe(one!.activeKeyId)
      expect(Number(`0x${keyId(row.b)}`)).toBe(other!.activeKeyId)
      expect(keyId(row.c)).toBe(keyId(row.b))
      expect(await prisma.rings.findMany()).toEqual([{ id: 1, ...data }])
      expect(Object.keys(prisma.$rowseal.stats().keyrings)).toEqual(['default', 'other'])
    })

    it('rotate on their own: only stale fields are rewritten', async () => {
      await prisma.rings.createMany({
        data: [1, 2, 3].map((id) => ({ id, a: 'a', b: 'b', c: id })),
      })
      await rotate(sealed.keyrings['other']!)
      const before = await base.rings.findUnique({ where: { id: 2 } })
      const read = await prisma.rings.findMany({ select: { a: true, c: true } })
      expect(read).toHaveLength(3)
      expect(await prisma.$rowseal.flush()).toBe(true)
      const after = await base.rings.findUnique({ where: { id: 2 } })
      expect([after.a, after.b]).toEqual([before.a, before.b])
      expect(Number(`0x${keyId(after.c)}`)).toBe(sealed.keyrings['other']!.activeKeyId)
      await rotate(sealed.keyring)
      await prisma.rings.findMany()
      expect(await prisma.$rowseal.flush()).toBe(true)
      expect(await prisma.rings.findUnique({ where: { id: 2 } })).toEqual({
        id: 2,
        a: 'a',
        b: 'b',
        c: 2,
      })
      const last = await base.rings.findUnique({ where: { id: 2 } })
      expect(Number(`0x${keyId(last.a)}`)).toBe(sealed.keyring.activeKeyId)
      expect(last.c).toBe(after.c)
    })

    it('refuse a value of another keyring, naming field and record', async () => {
      await prisma.rings.create({ data: { id: 1, a: 'a', b: 'b' } })
      const { b } = await base.rings.findUnique({ where: { id: 1 } })
      await base.rings.update({ where: { id: 1 }, data: { a: b } })
      await expect(prisma.rings.findMany()).rejects.toMatchObject({
        name: 'KeyError',
        code: 'ERR_KEY_STATE',
        field: 'Rings.a',
        message: expect.stringContaining('Rings.a (id 1)'),
      })
    })

    it('are refused when two have one name', () => {
      const { plan, keyring, keyrings } = sealed
      const list = [keyring, keyrings['other']!, keyring]
      expect(() => base.$extends(rowseal({ plan, keyring: list }))).toThrow(TypeError)
    })
  })

  it('an id keeps values readable under a new name, and pad hides their length', async () => {
    await prisma.renamed.createMany({
      data: [
        { id: 1, text: 'a' },
        { id: 2, text: 'a'.repeat(16) },
        { id: 3, text: 'a'.repeat(17) },
      ],
    })
    const rows = await base.renamed.findMany({ orderBy: { id: 'asc' } })
    expect(rows[0].text).toHaveLength(rows[1].text.length)
    expect(rows[2].text.length).toBeGreaterThan(rows[1].text.length)
    expect(await prisma.renamed.findUnique({ where: { id: 1 } })).toEqual({ id: 1, text: 'a' })
    await base.renamed.deleteMany()
  })
})
