import type { DMMF } from '@prisma/generator-helper'
import type { BoundType, Provider } from '../../plan/plan.ts'

/** How a column is bound: what it holds, and how much of it. */
export interface Bindable {
  readonly type: BoundType
  readonly maxChars?: number
}

/** What a native type does to values; `argument` is the length in its parentheses. */
interface Native {
  readonly type?: BoundType
  readonly maxChars?: number | 'argument'
}

const PLAIN: Native = {}

/**
 * Native types that give back what was written, or (Uuid) one spelling of it. Those that are not here pad,
 * fold, round or expand: Char, Citext, Xml, Inet, Bit, Year. MySQL's texts are counted in bytes, of which a
 * character takes up to 4. https://www.prisma.io/docs/orm/reference/prisma-schema-reference
 */
const NATIVE_TYPES: Readonly<
  Record<Provider, Readonly<Record<string, Readonly<Record<string, Native>>>>>
> = {
  postgresql: {
    String: { Text: PLAIN, VarChar: { maxChars: 'argument' }, Uuid: { type: 'Uuid' } },
    Int: { Integer: PLAIN, SmallInt: PLAIN, Oid: PLAIN },
    BigInt: { BigInt: PLAIN },
    Boolean: { Boolean: PLAIN },
  },
  mysql: {
    String: {
      VarChar: { maxChars: 'argument' },
      TinyText: { maxChars: 63 },
      Text: { maxChars: 16_383 },
      MediumText: { maxChars: 4_194_303 },
      LongText: PLAIN,
    },
    Int: {
      Int: PLAIN,
      UnsignedInt: PLAIN,
      MediumInt: PLAIN,
      UnsignedMediumInt: PLAIN,
      SmallInt: PLAIN,
      UnsignedSmallInt: PLAIN,
      TinyInt: PLAIN,
      UnsignedTinyInt: PLAIN,
    },
    BigInt: { BigInt: PLAIN, UnsignedBigInt: PLAIN },
    Boolean: { TinyInt: PLAIN, Bit: PLAIN },
  },
  sqlite: {},
}

/** Prisma's own choice for a bare `String` on MySQL: VARCHAR(191). */
const MYSQL_STRING_CHARS = 191

/** Can values be bound to a column of this type? Null if not, for whatever reason. */
export function bindable(provider: Provider, field: DMMF.Field): Bindable | null {
  if (field.kind === 'enum') return { type: 'Enum' }
  const type = BOUND_TYPES[field.type]
  if (type === undefined) return null
  if (field.nativeType == null) {
    const isVarChar = provider === 'mysql' && type === 'String'
    return isVarChar ? { type, maxChars: MYSQL_STRING_CHARS } : { type }
  }
  const [name, args] = field.nativeType
  const native = NATIVE_TYPES[provider][field.type]?.[name]
  if (native === undefined) return null
  const maxChars = native.maxChars === 'argument' ? lengthOf(args) : native.maxChars
  return { type: native.type ?? type, ...(maxChars === undefined ? {} : { maxChars }) }
}

const BOUND_TYPES: Readonly<Record<string, BoundType>> = {
  String: 'String',
  Int: 'Int',
  BigInt: 'BigInt',
  Boolean: 'Boolean',
}

/** PostgreSQL's varchar without a length is text. */
function lengthOf([length]: readonly string[]): number | undefined {
  return length === undefined ? undefined : Number(length)
}
