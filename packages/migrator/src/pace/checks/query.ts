import { ask, ANSWER_MS } from './ask.ts'
import { cannot, shown, type Check, type CheckContext } from './check.ts'

const NAME = 'throttle.query (--throttle-query)'

/** A user's own SQL: one row with one column, true, above 0 or a text to pause. */
export function queryCheck({ client, provider }: CheckContext, sql: string): Check {
  return {
    name: NAME,
    timeoutMs: ANSWER_MS,
    run: async () => {
      const rows = await ask(client, provider, sql)
      const [row] = rows
      if (rows.length !== 1 || row === undefined)
        throw cannot(`It gave ${rows.length} rows.`, 'Let it give one: SELECT EXISTS (…), say.')
      const values = Object.values(row)
      if (values.length !== 1) throw cannot(`It gave ${values.length} columns.`, 'Let it give one.')
      return reasonOf(values[0])
    },
  }
}

/** A text that is a number counts as that: some views have no other type. */
export function reasonOf(value: unknown): string | null {
  if (value === null || value === undefined)
    throw cannot(
      'It gave NULL, which tells nothing.',
      'Say what that means: coalesce(…, false), or coalesce(…, true) to pause.',
    )
  if (typeof value === 'boolean') return value ? `${NAME} is true` : null
  const text = textOf(value)
  if (text === null) throw cannot('It gave neither boolean, number nor text.', 'Cast it.')
  if (/^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i.test(text))
    return Number(text) > 0 ? `${NAME} is ${shown(text)}` : null
  const reason = shown(text)
  if (reason !== '') return reason
  return text === '' ? null : `${NAME} gave a blank text`
}

/** Of a number or a text; null for anything else. */
function textOf(value: unknown): string | null {
  switch (typeof value) {
    case 'string':
    case 'bigint':
      return String(value)
    case 'number':
      return Number.isFinite(value) ? String(value) : null
    case 'object':
      return value !== null && 'toFixed' in value && typeof value.toFixed === 'function'
        ? String((value as { toFixed(): unknown }).toFixed())
        : null
    default:
      return null
  }
}
