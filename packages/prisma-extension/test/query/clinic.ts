import { definePlan, PLAN_FORMAT } from '../../src/plan/index.ts'
import type { BlindIndex, ModelSource, Plan, Provider, SealedField } from '../../src/plan/index.ts'

/** A plan written by hand, so that walks over arguments can be tested without generating and without a database. */

type Part<K extends keyof ModelSource> = ModelSource[K]

interface Written {
  /** Prisma's types by field. */
  readonly columns: Readonly<Record<string, string>>
  readonly key?: readonly string[]
  readonly sealed?: Readonly<Record<string, Partial<SealedField>>>
  readonly indexes?: Readonly<Record<string, Partial<BlindIndex> & Pick<BlindIndex, 'field'>>>
  readonly relations?: Part<'relations'>
  readonly uniques?: Part<'uniques'>
  readonly constraints?: Part<'constraints'>
  readonly bound?: Part<'bound'>
}

function mapped<T, R>(from: Readonly<Record<string, T>>, map: (value: T, key: string) => R) {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, map(value, key)]))
}

export function modelOf(name: string, written: Written): ModelSource {
  const { columns, sealed = {}, indexes = {} } = written
  return {
    table: name,
    key: ['id'],
    relations: {},
    uniques: {},
    constraints: {},
    bound: {},
    ...written,
    columns: mapped(columns, (type, column) => ({ type, column })),
    sealed: mapped(sealed, (field, key) => ({
      type: columns[key] as SealedField['type'],
      list: false,
      nullable: true,
      id: `${name}.${key}`,
      keyring: 'default',
      plaintext: 'refuse',
      seal: 'on',
      pad: 0,
      bind: [],
      ...field,
    })),
    indexes: mapped(indexes, (index, key) => ({
      id: `${name}.${key}`,
      normalize: [],
      slot: 1,
      unique: false,
      ...index,
    })),
  }
}

export function planOf(
  written: Readonly<Record<string, Written>>,
  provider: Provider = 'postgresql',
): Plan {
  const models = mapped(written, (model, name) => modelOf(name, model))
  return definePlan({ format: PLAN_FORMAT, digest: '0'.repeat(64), provider, models })
}

const patient: Written = {
  columns: {
    id: 'Int',
    tenantId: 'Int',
    name: 'String',
    email: 'String',
    emailIndex: 'String',
    emailSecond: 'String',
    phone: 'String',
    phoneLower: 'String',
    phoneIndex: 'String',
    code: 'String',
    codeIndex: 'String',
    secret: 'String',
    notes: 'Json',
    scan: 'Bytes',
    words: 'String',
    docs: 'Json',
    blobs: 'Bytes',
    old: 'String',
    oldScan: 'Bytes',
  },
  sealed: {
    email: { nullable: false },
    phone: {},
    code: {},
    secret: { pad: 16 },
    notes: {},
    scan: {},
    words: { list: true },
    docs: { list: true },
    blobs: { list: true },
    old: { seal: 'off', plaintext: 'allow' },
    oldScan: { seal: 'off', plaintext: 'allow' },
  },
  indexes: {
    emailIndex: { field: 'email', unique: true },
    emailSecond: { field: 'email', unique: true, slot: 2 },
    phoneLower: { field: 'phone', normalize: ['lowercase'] },
    phoneIndex: { field: 'phone' },
    codeIndex: { field: 'code', unique: true },
  },
  constraints: {
    Patient_emailIndex_key: ['emailIndex'],
    Patient_emailSecond_key: ['emailSecond'],
    Patient_tenantId_codeIndex_key: ['tenantId', 'codeIndex'],
  },
  uniques: { tenantId_codeIndex: ['tenantId', 'codeIndex'], tenantId_name: ['tenantId', 'name'] },
  relations: {
    visits: { model: 'Visit', list: true },
    doctor: { model: 'Doctor', list: false },
    country: { model: 'Country', list: false },
  },
}

/** Patients with fields of every kind; a doctor has none, but patients; a country leads nowhere. */
export const CLINIC = {
  Patient: patient,
  Visit: {
    columns: { id: 'Int', finding: 'String', patientId: 'Int' },
    sealed: { finding: {} },
    relations: { patient: { model: 'Patient', list: false } },
  },
  Doctor: {
    columns: { id: 'Int', name: 'String' },
    relations: { patients: { model: 'Patient', list: true } },
  },
  Country: { columns: { id: 'Int', name: 'String' } },
} satisfies Record<string, Written>

/** Values bound to columns: an id that is made, a tenant with a default, a foreign key. */
export const LIBRARY = {
  Note: {
    columns: { id: 'String', tenantId: 'Int', text: 'String', tags: 'String', title: 'String' },
    sealed: {
      text: { bind: ['tenantId', 'id'] },
      tags: { bind: ['tenantId'], list: true },
      title: {},
    },
    bound: {
      id: { type: 'Uuid', generate: { name: 'uuid' } },
      tenantId: { type: 'Int', default: 1 },
    },
    uniques: { tenantId_id: ['tenantId', 'id'] },
  },
  Book: {
    columns: { id: 'BigInt', title: 'String' },
    bound: { id: { type: 'BigInt', default: '7' } },
    relations: {
      pages: { model: 'Page', list: true, boundThere: { bookId: 'id' } },
      cover: { model: 'Page', list: false },
    },
  },
  Page: {
    columns: { id: 'Int', bookId: 'BigInt', text: 'String', json: 'Json', plain: 'Boolean' },
    sealed: { text: { bind: ['bookId'] }, json: { bind: ['bookId'] } },
    bound: { bookId: { type: 'BigInt' }, plain: { type: 'Boolean' } },
    relations: { book: { model: 'Book', list: false, boundHere: { bookId: 'id' } } },
  },
} satisfies Record<string, Written>

/** Defaults of sealed fields, which the extension writes. */
export const FORMS = {
  Form: {
    columns: { id: 'Int', status: 'String', statusIndex: 'String', tags: 'String', extra: 'Json', open: 'String', found: 'String', foundIndex: 'String' }, // prettier-ignore
    sealed: {
      status: { default: 'new' },
      tags: { list: true, default: ['a', 'b'] },
      extra: { default: '{"a":1}' },
      open: { default: 'x', seal: 'off' },
      found: { default: 'y', seal: 'off' },
    },
    indexes: { statusIndex: { field: 'status' }, foundIndex: { field: 'found' } },
  },
} satisfies Record<string, Written>
