import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openSealed, PROVIDERS, type SealedDatabase } from './databases.ts'

// Arguments that nobody means: out of a request's body, or made to break what walks over them. They are carried as what
// they are or refused; nothing is stored that was not asked for, and the client works on.

const SCHEMA = `
model Patient {
  id         Int      @id @default(autoincrement())
  name       String
  /// @encrypted
  email      String?
  /// @blindIndex(email)
  emailIndex String?
  /// @encrypted
  phone      String?
  /// @encrypted
  notes      Json?
  visits     Visit[]
}
model Visit {
  id        Int      @id @default(autoincrement())
  /// @encrypted
  finding   String?
  patientId Int?
  patient   Patient? @relation(fields: [patientId], references: [id])
}
`
const SECRET = 'a secret that is not stored'
const LEVELS = 10_000

/** `levels` objects and lists, one within the other. */
function nested(levels: number, leaf: unknown = 1): unknown {
  let value = leaf
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? { a: value } : [value]
  return value
}

function within(key: string, levels: number, leaf: object): object {
  let value = leaf
  for (let i = 0; i < levels; i++) value = { [key]: value }
  return value
}

describe.each(PROVIDERS)('hostile arguments, on %s', (provider) => {
  let sealed: SealedDatabase
  let prisma: any
  beforeAll(async () => {
    sealed = await openSealed(provider, SCHEMA)
    prisma = sealed.prisma
  })
  afterAll(() => sealed.close())
  afterEach(async () => {
    expect(Object.keys(Object.prototype)).toEqual([])
    expect(({} as any).polluted).toBeUndefined()
    for (const row of await sealed.base.patient.findMany()) {
      expect(JSON.stringify(row)).not.toContain(SECRET)
    }
    await sealed.base.visit.deleteMany()
    await sealed.base.patient.deleteMany()
  })

  const refused = (call: Promise<unknown>): Promise<any> =>
    call.then(
      () => expect.unreachable('nothing was thrown'),
      (error: unknown) => error,
    )
  /** Nothing was stored, and the client works on. */
  const worksOn = async (): Promise<void> => {
    expect(await sealed.base.patient.count()).toBe(0)
    const { id } = await prisma.patient.create({ data: { name: 'n', email: 'e' } })
    expect(await prisma.patient.findFirst({ where: { email: 'e' } })).toMatchObject({ id })
  }

  it.each([
    ['a field named __proto__', { data: { name: 'n', ['__proto__']: { phone: SECRET } } }],
    ['a field named constructor', { data: { name: 'n', constructor: SECRET } }],
    ['a field named toString', { data: { name: 'n', toString: SECRET } }],
    [
      'a relation named __proto__',
      { data: { name: 'n', visits: { create: { ['__proto__']: { finding: SECRET } } } } },
    ],
    [
      'a nested write named constructor',
      { data: { name: 'n', visits: { constructor: { finding: SECRET } } } },
    ],
    ['an argument named __proto__', { data: { name: 'n' }, ['__proto__']: { select: {} } }],
    ['an argument named constructor', { data: { name: 'n' }, constructor: SECRET }],
  ])('%s is refused in data', async (_, args) => {
    expect(await refused(prisma.patient.create(args))).toMatchObject({
      code: 'ERR_QUERY_UNSUPPORTED',
    })
    await worksOn()
  })

  it.each([
    ['__proto__', { ['__proto__']: { email: SECRET } }],
    ['constructor', { constructor: SECRET }],
    ['__proto__ in a relation', { visits: { some: { ['__proto__']: { finding: 'x' } } } }],
    ['__proto__ as an operator', { email: { ['__proto__']: SECRET } }],
    ['constructor as an operator', { email: { constructor: SECRET } }],
    ['valueOf within AND', { AND: [{ valueOf: SECRET }] }],
  ])('%s is refused in a where, and is no filter that selects all', async (_, where) => {
    await prisma.patient.create({ data: { name: 'n', email: 'e' } })
    for (const call of [
      prisma.patient.findMany({ where }),
      prisma.patient.deleteMany({ where }),
      prisma.patient.updateMany({ where, data: { name: 'm' } }),
    ]) {
      const error = await refused(call)
      expect(error).toMatchObject({ code: 'ERR_QUERY_UNSUPPORTED' })
      expect(error.message).not.toContain(SECRET)
    }
    expect(await sealed.base.patient.findMany()).toMatchObject([{ name: 'n' }])
  })

  it('keys of Json named __proto__ and constructor come back as they were, and reach no prototype', async () => {
    const text =
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":[{"__proto__":2}]}'
    const { id } = await prisma.patient.create({ data: { name: 'n', notes: JSON.parse(text) } })
    const { notes } = await prisma.patient.findUnique({ where: { id } })
    expect(JSON.stringify(notes)).toBe(text)
    expect(Object.getPrototypeOf(notes)).toBe(Object.prototype)
    expect(notes.polluted).toBeUndefined()
  })

  it('what an object inherits is sealed like its own, or not stored', async () => {
    class Request {
      name = 'n'
      get email(): string {
        return SECRET
      }
    }
    const inherited: any = Object.create({ phone: SECRET })
    inherited.name = 'n'
    for (const data of [inherited, new Request()]) {
      const { id } = await prisma.patient.create({ data })
      const row = await sealed.raw('Patient', `id = ${id}`)
      for (const column of ['email', 'phone']) expect(row[column] ?? 'rs1.').toMatch(/^rs1\./)
    }
  })

  it(`${LEVELS} levels of Json are refused, or come back whole`, async () => {
    for (const levels of [100, LEVELS]) {
      const value = nested(levels)
      const call = prisma.patient.create({ data: { name: 'n', notes: value } })
      const outcome: any = await call.catch((error: unknown) => error)
      if (!(outcome instanceof Error)) expect(outcome.notes).toEqual(value)
      else expect(levels).toBe(LEVELS)
      await sealed.base.patient.deleteMany()
    }
    await worksOn()
  })

  it(`${LEVELS} levels of clauses are refused`, async () => {
    for (const args of [
      { where: within('NOT', LEVELS, { email: 'e' }) },
      { where: within('AND', LEVELS, { name: 'n' }) },
      { include: { visits: within('include', LEVELS, { patient: true }) } },
    ])
      await refused(prisma.patient.findMany(args))
    const data = within('x', LEVELS, {})
    await refused(prisma.patient.create({ data: { name: 'n', visits: data } }))
    await worksOn()
  })

  it('an argument that refers to itself is refused', async () => {
    const json: any = { a: [1] }
    json.a.push(json)
    const where: any = { email: SECRET }
    where.AND = [where]
    const data: any = { name: 'n', phone: SECRET }
    data.visits = { create: { patient: { create: data } } }
    await refused(prisma.patient.create({ data: { name: 'n', phone: SECRET, notes: json } }))
    await refused(prisma.patient.findMany({ where }))
    await refused(prisma.patient.create({ data }))
    await worksOn()
  })

  it('a getter that throws stores nothing, and its error is the one that comes', async () => {
    const own = new Error('of the getter')
    const throwing = (name: string): any =>
      Object.defineProperty({ name: 'n', phone: SECRET }, name, {
        enumerable: true,
        get: () => {
          throw own
        },
      })
    expect(await refused(prisma.patient.create({ data: throwing('email') }))).toBe(own)
    expect(
      await refused(prisma.patient.create({ data: { name: 'n', notes: throwing('a') } })),
    ).toBe(own)
    expect(await refused(prisma.patient.findMany({ where: throwing('AND') }))).toBe(own)
    await worksOn()
  })

  it('a getter that says another thing each time is asked once: value and blind index agree', async () => {
    let asked = 0
    const data = { name: 'n', get email() { return `email ${++asked}` } } // prettier-ignore
    const { id, email } = await prisma.patient.create({ data })
    expect(await prisma.patient.findFirst({ where: { email } })).toMatchObject({ id, email })
  })

  it('a lone surrogate is refused where UTF-8 would lose it, and kept where JSON escapes it', async () => {
    for (const lone of ['\ud800', 'a\udfffb', '\udc00\ud800']) {
      const invalid = { code: 'ERR_VALUE_INVALID' }
      for (const call of [
        prisma.patient.create({ data: { name: 'n', email: lone } }),
        prisma.patient.create({ data: { name: 'n', visits: { create: { finding: lone } } } }),
        prisma.patient.updateMany({ data: { phone: lone } }),
        prisma.patient.findMany({ where: { email: lone } }),
        prisma.patient.findMany({ where: { email: { in: ['x', lone] } } }),
        prisma.$rowseal.seal('Patient.email', lone),
        prisma.$rowseal.index('Patient.emailIndex', lone),
      ])
        expect(await refused(call)).toMatchObject(invalid)
      const notes = { [lone]: [lone] }
      const { id } = await prisma.patient.create({ data: { name: 'n', notes } })
      expect((await prisma.patient.findUnique({ where: { id } })).notes).toEqual(notes)
      await sealed.base.patient.deleteMany()
    }
  })

  it('values that are none are refused by name, and not turned into text', async () => {
    const invalid = { name: 'QueryError', code: 'ERR_VALUE_INVALID' }
    for (const value of [
      1,
      1n,
      true,
      Number.NaN,
      [],
      ['x'],
      new Date(0),
      { set: 1 },
      new Map(),
      new Uint8Array(2),
    ])
      // prettier-ignore
      expect(
        await refused(prisma.patient.create({ data: { name: 'n', phone: value } })),
      ).toMatchObject(invalid)
    await worksOn()
  })
})

describe('sealing and opening by name', () => {
  let sealed: SealedDatabase
  beforeAll(async () => {
    sealed = await openSealed('sqlite', SCHEMA)
  })
  afterAll(() => sealed.close())

  it.each(['Patient.__proto__', '__proto__.email', 'constructor.name', 'Patient.constructor', 'Patient', '', '.', 'Patient.email.x'])('"%s" is no field', async (name) => {
    const { $rowseal } = sealed.prisma
    const stored = await $rowseal.seal('Patient.email', 'x')
    if (name !== 'Patient.email.x') await expect($rowseal.seal(name, 'x')).rejects.toThrow(TypeError)
    if (name !== 'Patient.email.x') await expect($rowseal.open(name, stored)).rejects.toThrow(TypeError)
    await expect($rowseal.index(name, 'x')).rejects.toThrow(TypeError)
  }) // prettier-ignore

  it('Json that is nested too deeply or refers to itself is refused by name', async () => {
    const { $rowseal } = sealed.prisma
    const circular: any = {}
    circular.self = circular
    for (const value of [nested(100_000), circular]) {
      await expect($rowseal.seal('Patient.notes', value)).rejects.toMatchObject({
        name: 'QueryError',
        code: 'ERR_VALUE_INVALID',
        field: 'Patient.notes',
      })
    }
    const value = nested(200)
    const stored = await $rowseal.seal('Patient.notes', value)
    expect(await $rowseal.open('Patient.notes', stored)).toEqual(value)
  })
})
