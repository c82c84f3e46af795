/**
 * Errors of Prisma quote values: the driver's text says what the database was given or holds, a validation
 * error prints the arguments as they were sent. Whatever may be ciphertext, a hash, or the value of a column
 * that holds encrypted ones, is cut out of every text of an error; names, codes and types stay.
 */

type Rule = readonly [RegExp, string]

/** What Rowseal writes, in the notations that databases and drivers use. It may be cut short. */
const WRITTEN: readonly Rule[] = [
  [/rs1\.[0-9a-f]{8}\.[\w-]*/g, '[sealed]'],
  [/ri1\.[0-9a-f]{8}\.[0-9a-f]*/g, '[blind index]'],
  // The bytes of an envelope: in hexadecimal, in base64, and as MySQL escapes them.
  [/525301[0-9a-f]{8,}/gi, '[sealed]'],
  [/UlMB[\w+/-]{8,}=*/g, '[sealed]'],
  [/RS(?:\\x01|\x01)(?:\\.|[^\\'"`\n])*/g, '[sealed]'],
]

/** Where a database or Prisma quotes what a column holds or was given, of which it may show a piece only. */
const QUOTED: readonly Rule[] = [
  [/(Duplicate entry )'[^]*'(?= for key )/, "$1'…'"],
  [/(ncorrect [\w ]+ value: )'[^]*'(?= for |[`\n]|$)/, "$1'…'"],
  [/(Failing row contains )\([^]*\)/, '$1(…)'],
  [/(Expected an? [\w -]+ in column '[^']*', got \w+): [^]*/, '$1'],
]

/** Literals in the arguments that a validation error prints, one on a line; names and booleans stay. */
const ARGUMENTS: readonly Rule[] = [
  [/"(?:\\.|[^"\\\n])*"/g, '"…"'],
  [/((?:^ *|: )(?:\x1b\[\d+m)*)-?\d[\d.e+-]*n?(?=(?:\x1b\[\d+m)*,?$)/gm, '$1…'],
]

/** Texts that say where and why; everything else in an error is left alone. */
const PARTS = ['cause', 'meta', 'errors'] as const

/**
 * Cut values out of an error that an operation on a model with sealed fields ended with.
 *
 * @returns the same error.
 */
export function redact(error: unknown): unknown {
  if (error instanceof Error) redactError(error, new Set())
  return error
}

function redactError(error: Error, seen: Set<object>): void {
  seen.add(error)
  const former = error.message
  const message = messageOf(error)
  if (message !== former) error.message = message
  const { stack } = error
  if (stack !== undefined) {
    const redacted = cut(
      stack.replace(former, () => message),
      WRITTEN,
    )
    if (redacted !== stack) error.stack = redacted
  }
  const parts = error as unknown as Record<string, unknown>
  for (const key of PARTS) redactAt(parts, key, seen)
}

function messageOf(error: Error): string {
  const { message, name } = error
  // `JSON.parse` quotes a piece of what it was given: of a stored value, here.
  if (error instanceof SyntaxError && message.includes('JSON')) return 'A stored value is no JSON.'
  const text = redactText(message)
  return name === 'PrismaClientValidationError' ? cut(text, ARGUMENTS) : text
}

function redactAt(target: Record<string, unknown>, key: string, seen: Set<object>): void {
  const value = target[key]
  if (typeof value === 'string') {
    const redacted = redactText(value)
    if (redacted !== value) target[key] = redacted
  } else if (value instanceof Error) {
    if (!seen.has(value)) redactError(value, seen)
  } else if (isPlain(value) && !seen.has(value)) {
    seen.add(value)
    for (const inner of Object.keys(value)) redactAt(value, inner, seen)
  }
}

function redactText(text: string): string {
  return cut(cut(text, QUOTED), WRITTEN)
}

function cut(text: string, rules: readonly Rule[]): string {
  return rules.reduce((out, [pattern, replacement]) => out.replace(pattern, replacement), text)
}

/** An object literal or a list: not an instance of a class of the application's. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}
