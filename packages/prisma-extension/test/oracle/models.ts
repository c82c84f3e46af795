import type { Provider } from '../../src/plan/index.ts'

/**
 * The one description of the models, from which everything else is made: the schemas of both twins, the
 * tables, the operations, the comparison and the look at what is stored.
 */

export type FieldType =
  'Int' | 'BigInt' | 'Decimal' | 'Boolean' | 'DateTime' | 'Kind' | 'String' | 'Json' | 'Bytes'

export interface Field {
  readonly name: string
  readonly type: FieldType
  /** Name of the pool its values come from: see values.ts. */
  readonly values: string
  readonly isNullable?: true
  readonly isList?: true
  readonly isUnique?: true
  readonly isSealed?: true
  /** How its blind index compares: exactly, or after `trim` and `lowercase`. */
  readonly index?: 'exact' | 'folded'
  /** The unique index has a second column, to rotate to. */
  readonly hasSecondSlot?: true
  /** A literal, as it stands in the schema. */
  readonly default?: string
  readonly isUpdatedAt?: true
}

export interface Relation {
  readonly name: string
  readonly model: string
  readonly isList: boolean
  /** The field at the other end. */
  readonly inverse: string
  /** The fields that hold the other's key, if they are here. */
  readonly fields?: readonly string[]
  readonly references?: readonly string[]
  readonly isOptional?: true
  readonly label?: string
}

export interface Model {
  readonly name: string
  /** Fields of its id, one or several. */
  readonly id: readonly string[]
  /** Compound uniques. */
  readonly uniques: readonly (readonly string[])[]
  readonly fields: readonly Field[]
  readonly relations: readonly Relation[]
}

const TENANT: Model = {
  name: 'Tenant',
  id: ['id'],
  uniques: [],
  fields: [
    { name: 'id', type: 'Int', values: 'tenantId' },
    { name: 'name', type: 'String', values: 'name', isUnique: true },
    { name: 'balance', type: 'Decimal', values: 'decimal', default: '0' },
    { name: 'credits', type: 'BigInt', values: 'bigint', isNullable: true },
    { name: 'licence', type: 'String', values: 'text', isSealed: true, default: '"none yet ü😀"' },
    { name: 'settings', type: 'Json', values: 'json', isSealed: true, isNullable: true },
    { name: 'updatedAt', type: 'DateTime', values: 'none', isUpdatedAt: true },
  ],
  relations: [{ name: 'people', model: 'Person', isList: true, inverse: 'tenant' }],
}

const PERSON: Model = {
  name: 'Person',
  id: ['id'],
  uniques: [['tenantId', 'code']],
  fields: [
    { name: 'id', type: 'Int', values: 'personId' },
    { name: 'tenantId', type: 'Int', values: 'tenantId', isNullable: true },
    { name: 'bossId', type: 'Int', values: 'personId', isNullable: true },
    { name: 'kind', type: 'Kind', values: 'kind', default: 'CAT' },
    { name: 'age', type: 'Int', values: 'int', default: '0' },
    { name: 'isActive', type: 'Boolean', values: 'boolean', isNullable: true },
    { name: 'bornAt', type: 'DateTime', values: 'date', isNullable: true },
    { name: 'nick', type: 'String', values: 'name', isNullable: true },
    {
      name: 'email',
      type: 'String',
      values: 'email',
      isUnique: true,
      isSealed: true,
      index: 'exact',
    },
    {
      name: 'code',
      type: 'String',
      values: 'code',
      isNullable: true,
      isSealed: true,
      index: 'exact',
    },
    {
      name: 'city',
      type: 'String',
      values: 'city',
      isNullable: true,
      isSealed: true,
      index: 'exact',
    },
    {
      name: 'alias',
      type: 'String',
      values: 'alias',
      isNullable: true,
      isSealed: true,
      index: 'folded',
    },
    { name: 'phone', type: 'String', values: 'text', isNullable: true, isSealed: true },
    { name: 'notes', type: 'Json', values: 'json', isNullable: true, isSealed: true },
    { name: 'scan', type: 'Bytes', values: 'bytes', isNullable: true, isSealed: true },
  ],
  relations: [
    {
      name: 'tenant',
      model: 'Tenant',
      isList: false,
      inverse: 'people',
      fields: ['tenantId'],
      references: ['id'],
      isOptional: true,
    },
    {
      name: 'boss',
      model: 'Person',
      isList: false,
      inverse: 'team',
      fields: ['bossId'],
      references: ['id'],
      isOptional: true,
      label: 'boss',
    },
    { name: 'team', model: 'Person', isList: true, inverse: 'boss', label: 'boss' },
    { name: 'card', model: 'Card', isList: false, inverse: 'person', isOptional: true },
    { name: 'visits', model: 'Visit', isList: true, inverse: 'person' },
    { name: 'tags', model: 'Tag', isList: true, inverse: 'people' },
  ],
}

const CARD: Model = {
  name: 'Card',
  id: ['id'],
  uniques: [],
  fields: [
    { name: 'id', type: 'Int', values: 'cardId' },
    { name: 'personId', type: 'Int', values: 'personId', isUnique: true },
    {
      name: 'number',
      type: 'String',
      values: 'number',
      isNullable: true,
      isUnique: true,
      isSealed: true,
      index: 'exact',
      hasSecondSlot: true,
    },
    { name: 'content', type: 'Json', values: 'json', isSealed: true, default: '"17"' },
    { name: 'photo', type: 'Bytes', values: 'bytes', isSealed: true },
  ],
  relations: [
    {
      name: 'person',
      model: 'Person',
      isList: false,
      inverse: 'card',
      fields: ['personId'],
      references: ['id'],
    },
  ],
}

const VISIT: Model = {
  name: 'Visit',
  id: ['day', 'room'],
  uniques: [],
  fields: [
    { name: 'day', type: 'Int', values: 'day' },
    { name: 'room', type: 'String', values: 'room' },
    { name: 'personId', type: 'Int', values: 'personId' },
    { name: 'extra', type: 'Json', values: 'json', isNullable: true },
    { name: 'finding', type: 'String', values: 'text', isSealed: true },
  ],
  relations: [
    {
      name: 'person',
      model: 'Person',
      isList: false,
      inverse: 'visits',
      fields: ['personId'],
      references: ['id'],
    },
  ],
}

const TAG: Model = {
  name: 'Tag',
  id: ['key'],
  uniques: [],
  fields: [
    { name: 'key', type: 'String', values: 'tagKey' },
    { name: 'label', type: 'String', values: 'name', isNullable: true },
    {
      name: 'secret',
      type: 'String',
      values: 'city',
      isNullable: true,
      isSealed: true,
      index: 'exact',
    },
  ],
  relations: [{ name: 'people', model: 'Person', isList: true, inverse: 'tags' }],
}

const LISTS: readonly Field[] = [
  { name: 'plainWords', type: 'String', values: 'city', isList: true },
  { name: 'words', type: 'String', values: 'text', isSealed: true, isList: true },
  { name: 'docs', type: 'Json', values: 'json', isSealed: true, isList: true },
  { name: 'blobs', type: 'Bytes', values: 'bytes', isSealed: true, isList: true },
]

/** Parents before their children. */
export function modelsOf(provider: Provider): readonly Model[] {
  const tag = provider === 'postgresql' ? { ...TAG, fields: [...TAG.fields, ...LISTS] } : TAG
  return [TENANT, PERSON, CARD, VISIT, tag]
}

/** The implicit table of a relation of many to many, with the models of its columns A and B. */
export const JOIN_TABLE = { name: '_PersonToTag', a: 'Person', b: 'Tag' } as const

/** The column of a field's blind index. */
export const indexColumn = (field: Field, slot: 1 | 2 = 1): string =>
  `${field.name}Index${slot === 2 ? '2' : ''}`

/** All columns of the blind index of a field; none if it has no index. */
export const indexColumns = (field: Field): string[] => {
  if (field.index === undefined) return []
  return field.hasSecondSlot ? [indexColumn(field), indexColumn(field, 2)] : [indexColumn(field)]
}

/** `Person` in the client: `person`. */
export const delegateOf = (model: string): string => model.charAt(0).toLowerCase() + model.slice(1)

/** Is the field unique, alone or with others? */
export const isInUnique = ({ uniques }: Model, field: Field): boolean =>
  field.isUnique === true || uniques.some((names) => names.includes(field.name))
