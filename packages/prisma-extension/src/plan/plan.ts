/** Version of the emitted plan. A reader refuses every other one. */
export const PLAN_FORMAT = 2

export type Provider = 'postgresql' | 'mysql' | 'sqlite'

/** Prisma types a sealed field may have. */
export type SealedType = 'String' | 'Json' | 'Bytes'

/** One sealed field. Field and model names are Prisma's, never the database's. */
export interface SealedField {
  readonly type: SealedType
  readonly list: boolean
  readonly nullable: boolean
  /** Name in the AAD, `Model.field` unless the annotation says otherwise. */
  readonly id: string
  readonly keyring: string
  /** May values that are no envelope be read? */
  readonly plaintext: 'refuse' | 'allow'
  /** `off`: open, but write plaintext (leaving Rowseal). */
  readonly seal: 'on' | 'off'
  /** Pad the plaintext to a multiple of this many bytes; 0 for none. */
  readonly pad: number
  /** Fields of the same record that the AAD holds, in order. */
  readonly bind: readonly string[]
  /** Literal of `@default`, sealed by the extension when a create leaves the field out. Json as JSON text, Bytes as base64. */
  readonly default?: string | readonly string[]
}

/** What a blind index does to a text before it is hashed, in the order given. docs/spec/blind-index-v1.md */
export const NORMALIZERS = [
  'trim',
  'lowercase',
  'uppercase',
  'nfc',
  'nfkc',
  'diacritics',
  'digits',
  'email',
] as const

export type Normalizer = (typeof NORMALIZERS)[number]

/** A column that holds keyed hashes of a sealed field, for equality search. */
export interface BlindIndex {
  /** The sealed field. */
  readonly field: string
  /** Name in the derivation of its subkey, `Model.column` unless the annotation says otherwise. */
  readonly id: string
  readonly normalize: readonly Normalizer[]
  /** A unique index rotates between two columns. */
  readonly slot: 1 | 2
  /** Is the column, alone or with others, under a unique constraint? */
  readonly unique: boolean
}

/** What a bound column holds: Prisma's type, `Uuid` for a String that the database keeps as a UUID. */
export type BoundType = 'String' | 'Uuid' | 'Int' | 'BigInt' | 'Boolean' | 'Enum'

/** A function of `@default` that makes ids, with its argument: the version, or the length. */
export interface IdFunction {
  readonly name: 'uuid' | 'cuid' | 'ulid' | 'nanoid'
  readonly argument?: number
}

/** A column whose values the AAD of sealed fields holds, directly or through a foreign key of another model. */
export interface BoundColumn {
  readonly type: BoundType
  /** Characters (code points) that fit. Databases cut longer text without an error if only spaces are lost. */
  readonly maxChars?: number
  /** Literal of `@default`, which the extension fills in. BigInt as text. */
  readonly default?: string | number | boolean
  /** What makes its ids: the extension does, before it seals. */
  readonly generate?: IdFunction
}

/** A field that is a column (not a relation), sealed or not. */
export interface ColumnField {
  /** Prisma's scalar type, or the enum's name. */
  readonly type: string
  /** The database's name. */
  readonly column: string
  /** Of an enum in the key: the database's names of its values, where they have others. */
  readonly values?: Readonly<Record<string, string>>
}

export interface RelationField {
  readonly model: string
  readonly list: boolean
  /** Bound foreign keys of this model that the relation sets, each with the other model's column it refers to. */
  readonly boundHere?: Readonly<Record<string, string>>
  /** Bound foreign keys of the other model that the relation sets, each with this model's column it refers to. */
  readonly boundThere?: Readonly<Record<string, string>>
}

export interface ModelSource {
  /** The database's name of the table. */
  readonly table: string
  /** The database schema of `@@schema`, where given. */
  readonly schema?: string
  /** Fields of `@id` / `@@id`, else of the first unique over required fields; empty if there is none. */
  readonly key: readonly string[]
  readonly columns: Readonly<Record<string, ColumnField>>
  readonly relations: Readonly<Record<string, RelationField>>
  /** Keys that a compound unique has in `where` (`a_b`, or its `name:`), with its fields. */
  readonly uniques: Readonly<Record<string, readonly string[]>>
  readonly sealed: Readonly<Record<string, SealedField>>
  /** Blind indexes, by their column. */
  readonly indexes: Readonly<Record<string, BlindIndex>>
  /** Unique constraints over blind indexes or sealed fields by their name in the database, with their fields. */
  readonly constraints: Readonly<Record<string, readonly string[]>>
  /** Columns that sealed fields of the model bind, and those that bound foreign keys of other models refer to. */
  readonly bound: Readonly<Record<string, BoundColumn>>
}

/** What the generator emits and `definePlan` checks: all models of the schema, annotated or not. */
export interface PlanSource {
  readonly format: number
  /** SHA-256 (lowercase hex) of the schema text without datasource and generator blocks. */
  readonly digest: string
  readonly provider: Provider
  readonly models: Readonly<Record<string, ModelSource>>
}

/** A checked, deeply frozen plan. `S` keeps the literal names for the types of `$rowseal`. */
export interface Plan<S extends PlanSource = PlanSource> {
  readonly source: S
  readonly digest: string
  readonly provider: Provider
  readonly models: Readonly<Record<string, ModelSource>>
}

/** `Model.field` of every sealed field of a plan. */
export type SealedName<S extends PlanSource> = NameIn<S, 'sealed'>

/** `Model.column` of every blind index of a plan. */
export type IndexName<S extends PlanSource> = NameIn<S, 'indexes'>

type NameIn<S extends PlanSource, Part extends 'sealed' | 'indexes'> = {
  [M in keyof S['models'] & string]: `${M}.${keyof S['models'][M][Part] & string}`
}[keyof S['models'] & string]

/** The third argument of `$rowseal.seal` and `open`: none for a field without `bind`. */
export type BoundArgument<
  S extends PlanSource,
  N extends string,
> = N extends `${infer M}.${infer F}`
  ? ArgumentOf<S['models'][M], S['models'][M]['sealed'][F]['bind'][number]>
  : never

type ArgumentOf<Model extends ModelSource, Column extends string> = [Column] extends [never]
  ? []
  : string extends Column
    ? [bound?: Readonly<Record<string, unknown>>]
    : [bound: { readonly [C in Column]: BoundValue<Model['bound'][C]['type']> }]

type BoundValue<T extends BoundType> = T extends 'Int'
  ? number
  : T extends 'BigInt'
    ? bigint | number
    : T extends 'Boolean'
      ? boolean
      : string
