import type { Provider } from '../../src/plan/index.ts'
import { indexColumns, modelsOf, type Field } from './models.ts'
import { identifier } from './tables.ts'
import type { World } from './worlds.ts'

/** Looks at what the database really holds, with one statement. */
export interface StoredCheck {
  /** @throws {Error} naming each column that holds something else than envelopes and hashes. */
  assertSealed(): Promise<void>
}

export function storedCheck({ provider, sealed, setting }: World): StoredCheck {
  const statement = modelsOf(provider)
    .flatMap((model) =>
      model.fields
        .filter(({ isSealed }) => isSealed)
        .flatMap((field) =>
          conditionsOf(provider, field, setting.isRotating).map(
            ({ column, wrong }) =>
              `SELECT '${model.name}.${column}' AS place, COUNT(*) AS n FROM ${identifier(provider, model.name)} WHERE ${wrong}`,
          ),
        ),
    )
    .join(' UNION ALL ')
  return {
    assertSealed: async () => {
      const counted: { place: string; n: bigint | number }[] =
        await sealed.base.$queryRawUnsafe(statement)
      const wrong = counted.filter(({ n }) => Number(n) > 0)
      if (wrong.length === 0) return
      throw new Error(wrong.map(({ place, n }) => `${place} is wrong in ${n} rows.`).join('\n'))
    },
  }
}

const ENVELOPE = { regular: '^rs1[.][0-9a-f]{8}[.][A-Za-z0-9_-]{100,}$', head: 'rs1.', next: '.' }
const HASH = { regular: '^ri1[.][0-9a-f]{8}[.][0-9a-f]{64}$', head: 'ri1.', next: '.' }

function conditionsOf(
  provider: Provider,
  field: Field,
  isRotating: boolean,
): { column: string; wrong: string }[] {
  const column = identifier(provider, field.name)
  const isEnvelope = envelopeTest(provider, field)
  const own = { column: field.name, wrong: `${column} IS NOT NULL AND NOT (${isEnvelope(column)})` }
  if (field.isList) {
    own.wrong = `EXISTS (SELECT 1 FROM unnest(${column}) AS element WHERE NOT (${isEnvelope('element')}))`
  }
  const indexes = indexColumns(field).map((name, i) => {
    const index = identifier(provider, name)
    // Until a rotation, the column it would lead to is empty.
    if (i === 1 && !isRotating) return { column: name, wrong: `${index} IS NOT NULL` }
    return {
      column: name,
      wrong: `(${index} IS NULL) <> (${column} IS NULL) OR NOT (${textTest(provider, index, HASH)})`,
    }
  })
  return [own, ...indexes]
}

/** NULL gives NULL, which is not wrong. */
function envelopeTest(provider: Provider, { type }: Field): (column: string) => string {
  if (type === 'Bytes') {
    return (column) => {
      if (provider === 'postgresql') return `encode(${column}, 'hex') ~ '^525301[0-9a-f]{8}'`
      if (provider === 'mysql') return `HEX(${column}) REGEXP '^525301[0-9A-F]{8}'`
      return `substr(hex(${column}), 1, 6) = '525301' AND length(${column}) >= 97`
    }
  }
  const text = (column: string): string => {
    if (type !== 'Json') return column
    if (provider === 'postgresql') return `${column} #>> '{}'`
    return provider === 'mysql' ? `JSON_UNQUOTE(${column})` : `${column} ->> '$'`
  }
  return (column) => textTest(provider, text(column), ENVELOPE)
}

function textTest(
  provider: Provider,
  text: string,
  { regular, head }: { regular: string; head: string },
): string {
  if (provider === 'postgresql') return `${text} ~ '${regular}'`
  if (provider === 'mysql') return `${text} REGEXP '${regular}'`
  const hex = '[0-9a-f]'.repeat(8)
  return `${text} GLOB '${head}${hex}.*' AND ${text} NOT GLOB '${head}${hex}.*[^A-Za-z0-9_-]*'`
}
