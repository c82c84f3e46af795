import { beforeAll, describe, expect, test } from 'vitest'
import { compile, fromPlaintext, IndexViews, toPlaintext } from '../../src/query/index.ts'
import { valueAad } from '../../src/envelope/index.ts'
import { CLINIC, FORMS, LIBRARY, planOf } from './clinic.ts'
import { walksOf, type Walks } from './walks.ts'

// What a plan becomes once, for all walks after.

let walks: Walks
beforeAll(async () => {
  walks = await walksOf(planOf(CLINIC))
})

test('a model knows what it reaches', () => {
  const { plan } = walks
  const reaching = (name: string): string[] => plan.get(name)!.reaching.map(([field]) => field)
  expect([...plan].map(([name, { reaches }]) => [name, reaches])).toStrictEqual([
    ['Patient', true],
    ['Visit', true],
    ['Doctor', true],
    ['Country', false],
  ])
  expect(reaching('Patient')).toStrictEqual(['visits', 'doctor'])
  expect(reaching('Doctor')).toStrictEqual(['patients'])
  expect(plan.get('Patient')!.relations.get('country')).toBe(plan.get('Country'))
  expect(plan.get('Patient')).toMatchObject({ isBound: false, isStrict: false, provider: 'postgresql' }) // prettier-ignore
})

test('reach goes over any number of relations', () => {
  const link = (model: string) => ({
    columns: { id: 'Int' },
    relations: { next: { model, list: false } },
  })
  const plan = compile(
    planOf({
      A: link('B'),
      B: link('C'),
      C: link('D'),
      D: { columns: { id: 'Int', s: 'String' }, sealed: { s: {} } },
      E: { columns: { id: 'Int' } },
    }),
    [walks.keyring],
  )
  expect([...plan.values()].map(({ reaches }) => reaches)).toStrictEqual([true, true, true, true, false]) // prettier-ignore
})

test('a field knows its indexes, and each column its index', () => {
  const { sealed, indexes } = walks.plan.get('Patient')!
  expect([...indexes.keys()].sort()).toStrictEqual(['codeIndex', 'emailIndex', 'emailSecond', 'phoneIndex', 'phoneLower']) // prettier-ignore
  expect(indexes.get('emailSecond')).toBe(indexes.get('emailIndex'))
  expect(sealed.get('email')!.indexes).toMatchObject([
    {
      label: 'Patient.emailIndex',
      id: 'Patient.emailIndex',
      isUnique: true,
      isUniqueAlone: true,
      columns: [{ name: 'emailIndex' }, { name: 'emailSecond', id: 'Patient.emailSecond' }],
    },
  ])
  expect(sealed.get('code')!.indexes).toMatchObject([
    { isUnique: true, isUniqueAlone: false, columns: [{ name: 'codeIndex' }, null] },
  ])
  expect(sealed.get('phone')!.indexes.map(({ id }) => id)).toStrictEqual([
    'Patient.phoneLower',
    'Patient.phoneIndex',
  ])
})

test('a second column belongs to the index with its normalizers', () => {
  const index = (slot: 1 | 2, normalize: 'trim'[]) => ({ field: 's', unique: true, slot, normalize }) // prettier-ignore
  const plan = compile(
    planOf({
      A: {
        columns: { id: 'Int', s: 'String', one: 'String', two: 'String', three: 'String' },
        sealed: { s: {} },
        indexes: { one: index(1, []), three: index(2, ['trim']), two: index(1, ['trim']) },
      },
    }),
    [walks.keyring],
  )
  expect(
    plan
      .get('A')!
      .sealed.get('s')!
      .indexes.map(({ columns }) => columns.map((c) => c?.name)),
  ).toStrictEqual([
    // prettier-ignore
    ['one', undefined],
    ['two', 'three'],
  ])
})

describe('a field', () => {
  test('has the AAD of its id, once', () => {
    const { aad } = walks.plan.get('Patient')!.sealed.get('secret')!
    expect(aad(1, [])).toStrictEqual(valueAad(1, 'Patient.secret'))
    expect(aad(2, [])).toStrictEqual(valueAad(2, 'Patient.secret'))
    expect(aad(1, [])).toBe(aad(1, []))
    expect(() => aad(1, [Buffer.from('x')])).toThrow(TypeError)
  })

  test('has the AAD of what it is bound to', () => {
    const plan = compile(planOf(LIBRARY), [walks.keyring])
    const { aad } = plan.get('Page')!.sealed.get('text')!
    const [one, two] = [Buffer.from('1'), Buffer.from('2')]
    expect(aad(1, [one])).toStrictEqual(valueAad(1, 'Page.text', [one]))
    expect(aad(1, [two])).toStrictEqual(valueAad(1, 'Page.text', [two]))
    expect(() => aad(1, [])).toThrow(TypeError)
    expect([...plan.values()].map(({ isBound }) => isBound)).toStrictEqual([true, true, true])
  })

  test('has its keyring, by the name in the plan', () => {
    const plan = planOf({
      A: { columns: { id: 'Int', s: 'String' }, sealed: { s: { keyring: 'other' } } },
    })
    expect(() => compile(plan, [walks.keyring])).toThrow(
      expect.objectContaining({ code: 'ERR_ANNOTATION_INVALID', field: 'A.s' }),
    )
    const other = compile(plan, new Map([['other', walks.keyring]]))
    expect(other.get('A')!.sealed.get('s')!.keyring).toBe(walks.keyring)
    expect(() => compile(planOf(CLINIC), [walks.keyring, walks.keyring])).toThrow(TypeError)
  })

  test('with a default is known as one', () => {
    const plan = compile(planOf(FORMS), [walks.keyring], true)
    const { defaults, isStrict } = plan.get('Form')!
    expect(defaults.map(({ name }) => name)).toStrictEqual(['status', 'tags', 'extra', 'open', 'found']) // prettier-ignore
    expect(isStrict).toBe(true)
    expect(walks.plan.get('Patient')!.defaults).toStrictEqual([])
  })

  test('has its values padded as it says', () => {
    const { sealed } = walks.plan.get('Patient')!
    const secret = sealed.get('secret')!
    expect(toPlaintext(secret, 'x')).toHaveLength(1 + 4 + 16)
    expect(fromPlaintext(secret, toPlaintext(secret, 'x'))).toBe('x')
    expect(toPlaintext(sealed.get('email')!, 'x')).toHaveLength(1 + 1)
    expect(toPlaintext(sealed.get('notes')!, 'x')).toHaveLength(1 + 3)
    expect(toPlaintext(sealed.get('scan')!, Buffer.from('x'))).toHaveLength(1 + 1)
  })
})

describe('compound uniques', () => {
  const columns = { id: 'Int', t: 'Int', u: 'Int', s: 'String', sIndex: 'String', sLower: 'String', sSecond: 'String' } // prettier-ignore
  const compounds = (uniques: Record<string, string[]>, more: Record<string, string> = {}) => {
    const index = { field: 's', unique: true }
    const plan = planOf({
      A: {
        columns: { ...columns, ...more },
        sealed: { s: {} },
        indexes: {
          sLower: { ...index, normalize: ['lowercase'] },
          sIndex: index,
          sSecond: { ...index, slot: 2 },
        },
        uniques,
      },
    })
    const found = compile(plan, [walks.keyring]).get('A')!.compounds
    return Object.fromEntries([...found].map(([key, { columns }]) => [key, columns]))
  }

  test('are named by their fields, over the columns that are unique', () => {
    expect(compounds({ t_sIndex: ['t', 'sIndex'] })).toStrictEqual({ t_s: ['t', 'sIndex'] })
    expect(compounds({ t_s: ['t', 's'], t_sIndex: ['t', 'sIndex'] })).toStrictEqual({
      t_s: ['t', 'sIndex'],
    })
    expect(compounds({ mine: ['s', 't'], t_sIndex: ['t', 'sIndex'] })).toStrictEqual({
      mine: ['sIndex', 't'],
    })
  })

  test('take the index that changes nothing', () => {
    const both = { t_sLower: ['t', 'sLower'], t_sIndex: ['t', 'sIndex'] }
    expect(compounds(both)).toStrictEqual({ t_s: ['t', 'sIndex'] })
    expect(compounds({ t_s: ['t', 's'], ...both })).toStrictEqual({ t_s: ['t', 'sIndex'] })
    expect(compounds({ t_sLower: ['t', 'sLower'] })).toStrictEqual({ t_s: ['t', 'sLower'] })
  })

  test('are none over plain columns, over second columns, or over other columns', () => {
    expect(compounds({ t_u: ['t', 'u'] })).toStrictEqual({})
    expect(compounds({ t_sSecond: ['t', 'sSecond'] })).toStrictEqual({})
    expect(compounds({ t_s: ['t', 's'] })).toStrictEqual({})
    expect(compounds({ t_s: ['t', 's'], u_sIndex: ['u', 'sIndex'] })).toStrictEqual({
      u_s: ['u', 'sIndex'],
    })
    expect(compounds({ t_s: ['t', 's'], t_u_sIndex: ['t', 'u', 'sIndex'] })).toStrictEqual({
      t_u_s: ['t', 'u', 'sIndex'],
    })
  })

  test('take no name that is taken', () => {
    expect(compounds({ t_sIndex: ['t', 'sIndex'] }, { t_s: 'Int' })).toStrictEqual({})
    expect(compounds({ t_sIndex: ['t', 'sIndex'], t_s: ['t', 'u'] })).toStrictEqual({})
  })
})

describe('index views', () => {
  test('are one of each keyring, fetched only if a walk asks', async () => {
    let asked = 0
    const { keyring } = walks
    const view = await keyring.index.view()
    const slow = { index: { view: () => (asked++, Promise.resolve(view)) } } as never
    const views = new IndexViews()
    expect(views.areFresh()).toBe(true)
    expect(views.complete(() => 7)).toBe(7)
    expect(asked).toBe(0)
    const got = views.complete(() => views.of(slow))
    expect(got).toBeInstanceOf(Promise)
    expect(await got).toBe(view)
    expect(views.complete(() => views.of(slow))).toBe(view)
    expect(asked).toBe(1)
    expect(views.areFresh()).toBe(view.isFresh())
    expect(() => views.complete(() => { throw new RangeError('mine') })).toThrow(RangeError) // prettier-ignore
    const stale = { index: { view: () => ({ ...view, isFresh: () => false }) } } as never
    views.of(stale)
    expect(views.areFresh()).toBe(false)
  })

  test('know whether a unique index is between its columns', () => {
    const index = walks.plan.get('Patient')!.indexes.get('emailIndex')!
    const views = new IndexViews()
    expect(views.writesBoth(index)).toBe(false)
    views.of(walks.keyring)
    expect(views.writesBoth(index)).toBe(false)
  })
})
