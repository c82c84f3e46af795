import { beforeAll, describe, expect, test } from 'vitest'
import { activateIndexKey, addIndexKey, moveIndex } from '../../src/keys/index.ts'
import { collectArguments, compile, IndexViews } from '../../src/query/index.ts'
import { CLINIC, planOf } from './clinic.ts'
import { unsupported } from './clinic-walks.ts'
import { walksOf, type Walks } from './walks.ts'

// How values are looked up and written while an index moves, and when it cannot be used.

describe('while an index rotates', () => {
  let rotating: Walks
  let former: number
  let active: number
  beforeAll(async () => {
    rotating = await walksOf(planOf(CLINIC))
    const { keyring } = rotating
    const before = await keyring.index.view()
    former = before.active
    await addIndexKey(keyring)
    active = (await activateIndexKey(keyring)).to.keyId
    await keyring.index.refresh()
    await keyring.index.view()
  })
  const whereOf = (given: unknown, operation = 'findMany'): unknown =>
    rotating.collect('Patient', operation, { where: given }).args['where']
  const both = (text: string): string[] =>
    [active, former].map((keyId) => rotating.hash('Patient.phoneIndex', text, [], keyId))

  test('a value is looked up under every key', () => {
    expect(whereOf({ phone: 'p' })).toStrictEqual({ phoneIndex: { in: both('p') } })
    expect(whereOf({ phone: { equals: 'p' } })).toStrictEqual({ phoneIndex: { in: both('p') } })
    expect(whereOf({ phone: { not: 'p' } })).toStrictEqual({ phoneIndex: { notIn: both('p') } })
    expect(whereOf({ phone: { in: ['p', 'q'] } })).toStrictEqual({
      phoneIndex: { in: [...both('p'), ...both('q')] },
    })
    expect(whereOf({ phone: { not: { equals: 'p' } } })).toStrictEqual({
      phoneIndex: { not: { in: both('p') } },
    })
  })

  test('what one not cannot say is refused', () => {
    const refused = unsupported('Patient.phone')
    expect(() => whereOf({ phone: { not: { not: 'p' } } })).toThrow(refused)
    expect(() => whereOf({ phone: { not: { equals: 'p', in: ['q'] } } })).toThrow(refused)
    expect(() => rotating.collect('Patient', 'findMany', { distinct: ['phone'] })).toThrow(refused)
    expect(
      rotating.collect('Patient', 'findMany', { distinct: ['email'] }).args['distinct'],
    ).toStrictEqual(['emailIndex'])
  })

  test('a unique index is looked up under its own key, in the column its record names', async () => {
    const hashOf = (column: string, keyId: number): string => rotating.hash(column, 'e', [], keyId)
    const look = (): unknown => whereOf({ email: 'e' }, 'findUnique')
    const written = (): any => rotating.collect('Patient', 'create', { data: { email: 'e' } }).args
    const move = async (...phases: Parameters<typeof moveIndex>[2][]): Promise<void> => {
      for (const phase of phases) await moveIndex(rotating.keyring, 'Patient.emailIndex', phase)
      await rotating.keyring.index.refresh()
      await rotating.keyring.index.view()
    }
    const first = hashOf('Patient.emailIndex', former)
    const second = hashOf('Patient.emailSecond', active)
    expect(look()).toStrictEqual({ emailIndex: first })
    expect(written().data).toMatchObject({ emailIndex: first, emailSecond: null })
    const isBetween = (): boolean[] => {
      const views = new IndexViews()
      views.of(rotating.keyring)
      const { indexes } = rotating.plan.get('Patient')!
      return ['emailIndex', 'codeIndex'].map((name) => views.writesBoth(indexes.get(name)!))
    }
    expect(isBetween()).toEqual([false, false])
    await move('both-1')
    expect(isBetween()).toEqual([true, false])
    expect(look()).toStrictEqual({ emailIndex: first })
    expect(written().data).toMatchObject({ emailIndex: first, emailSecond: second })
    await move('both-2')
    expect(look()).toStrictEqual({ emailSecond: second })
    expect(written().data).toMatchObject({ emailIndex: first, emailSecond: second })
    await move('slot-2')
    expect(look()).toStrictEqual({ emailSecond: second })
    expect(written().data).toMatchObject({ emailIndex: null, emailSecond: second })
  })

  test('offline, an index of one column takes no writes and names no row, and finds both', async () => {
    await moveIndex(rotating.keyring, 'Patient.codeIndex', 'offline')
    await rotating.keyring.index.refresh()
    await rotating.keyring.index.view()
    const offline = expect.objectContaining({
      code: 'ERR_INDEX_STATE',
      field: 'Patient.code',
      retryable: true,
    })
    const codes = [former, active].map((keyId) =>
      rotating.hash('Patient.codeIndex', 'c', [], keyId),
    )
    expect(() => whereOf({ tenantId_code: { tenantId: 1, code: 'c' } }, 'findUnique')).toThrow(
      offline,
    )
    expect(() => rotating.collect('Patient', 'create', { data: { code: 'c' } })).toThrow(offline)
    expect(rotating.sent('Patient', 'create', { data: { code: null } }).data).toStrictEqual({
      code: null,
      codeIndex: null,
    })
    expect(whereOf({ code: 'c' })).toStrictEqual({ codeIndex: { in: codes } })
  })
})

describe('an index that cannot be searched', () => {
  test('is refused until every row is known to be in it', async () => {
    const incomplete = await walksOf(planOf(CLINIC), { complete: false })
    expect(() => incomplete.collect('Patient', 'findMany', { where: { phone: 'p' } })).toThrow(
      unsupported('Patient.phone'),
    )
    expect(incomplete.collect('Patient', 'create', { data: { phone: 'p' } }).args).toMatchObject({
      data: { phoneIndex: incomplete.hash('Patient.phoneIndex', 'p') },
    })
  })

  /** Arguments as they become under another plan of patients than the one whose indexes are registered. */
  function otherwise(keyring: Walks['keyring'], indexes: object) {
    const { Visit, Doctor, Country } = CLINIC
    const written = { Patient: { ...CLINIC.Patient, indexes }, Visit, Doctor, Country }
    const plan = compile(planOf(written as never), [keyring])
    return (operation: string, args: Record<string, unknown>) => () =>
      collectArguments(
        { plan, views: new IndexViews(), wantsKeys: false, globalOmit: {}, current: { state: 'unread' } }, // prettier-ignore
        plan.get('Patient')!,
        operation,
        args,
      )
  }
  const notKnown = (field: string): unknown =>
    expect.objectContaining({
      code: 'ERR_INDEX_STATE',
      field,
      fix: expect.stringContaining('npx rowseal init'),
      retryable: false,
    })

  test('is refused where the key store has another one under its name', async () => {
    const { keyring } = await walksOf(planOf(CLINIC))
    const { indexes } = CLINIC.Patient
    const collect = otherwise(keyring, {
      ...indexes,
      phoneIndex: { field: 'phone', normalize: ['trim'] },
      phoneLower: { field: 'phone', normalize: ['lowercase'], unique: true },
      codeIndex: { field: 'code', id: 'Patient.unheard', unique: true },
    })
    for (const field of ['phone', 'code']) {
      expect(collect('findMany', { where: { [field]: 'p' } })).toThrow(
        unsupported(`Patient.${field}`),
      )
      expect(collect('create', { data: { [field]: 'p' } })).toThrow(notKnown(`Patient.${field}`))
    }
    const named = { tenantId_code: { tenantId: 1, code: 'c' } }
    expect(collect('findUnique', { where: named })).toThrow(unsupported('Patient.code'))
    const trimmed = otherwise(keyring, { phoneIndex: { field: 'phone', normalize: ['trim'] } })
    expect(trimmed('findMany', { where: { phone: 'p' } })).toThrow(unsupported('Patient.phone'))
    expect(trimmed('create', { data: { phone: 'p' } })).toThrow(notKnown('Patient.phone'))
  })

  test('is refused where the plan lacks the column that it rotates to', async () => {
    const { keyring, hash } = await walksOf(planOf(CLINIC))
    const { emailIndex } = CLINIC.Patient.indexes!
    const collect = otherwise(keyring, { emailIndex })
    const [find, create] = [
      collect('findUnique', { where: { email: 'e' } }),
      collect('create', { data: { email: 'e' } }),
    ]
    const { active } = await keyring.index.view()
    const first = { emailIndex: hash('Patient.emailIndex', 'e', [], active) }
    expect(create().args['data']).toMatchObject(first)
    await addIndexKey(keyring)
    await activateIndexKey(keyring)
    for (const phase of ['both-1', 'both-2', 'slot-2'] as const) {
      await moveIndex(keyring, 'Patient.emailIndex', phase)
      await keyring.index.refresh()
      await keyring.index.view()
      expect(create).toThrow(notKnown('Patient.email'))
      if (phase === 'both-1') expect(find().args['where']).toStrictEqual(first)
      else expect(find).toThrow(notKnown('Patient.email'))
    }
  })
})
