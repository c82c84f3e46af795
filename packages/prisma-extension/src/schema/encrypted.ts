import type { EncryptedOptions, Reading } from './annotation.ts'
import type { Argument, Value } from './arguments.ts'
import { nearest } from './resemble.ts'

const DEFAULTS: EncryptedOptions = {
  plaintext: 'refuse',
  seal: 'on',
  keyring: 'default',
  pad: 0,
  id: null,
  bind: [],
}

/** `Model.field`, as ids are written. */
export const ID = /^[A-Za-z]\w*\.[A-Za-z]\w*$/

/** Largest `pad`, in bytes: more would only multiply the size of every value. */
const MAX_PAD_BYTES = 65_536

/** How each option is written. `read` gives `undefined` for a value it does not take. */
const OPTIONS: {
  readonly [K in keyof EncryptedOptions]: {
    readonly takes: string
    readonly read: (value: Value) => EncryptedOptions[K] | undefined
  }
} = {
  plaintext: {
    takes: 'plaintext: allow or plaintext: refuse',
    read: (value) => word(value, ['refuse', 'allow'] as const),
  },
  seal: { takes: 'seal: on or seal: off', read: (value) => word(value, ['on', 'off'] as const) },
  keyring: {
    takes:
      'keyring: "name", with a name of lower-case letters, digits, - and _ (up to 63, a letter first)',
    read: (value) => string(value, /^[a-z][a-z0-9_-]{0,62}$/),
  },
  pad: {
    takes: `pad: n, with a whole number of bytes from 2 to ${MAX_PAD_BYTES}`,
    read: (value) =>
      value.kind === 'number' &&
      Number.isInteger(value.number) &&
      value.number >= 2 &&
      value.number <= MAX_PAD_BYTES
        ? value.number
        : undefined,
  },
  id: {
    takes: 'id: "Model.field"',
    read: (value) => string(value, ID),
  },
  bind: { takes: 'bind: [field, …]', read: words },
}

const NAMES = Object.keys(OPTIONS) as (keyof EncryptedOptions)[]

/** Read the arguments of `@encrypted(…)`. */
export function readEncrypted(args: readonly Argument[]): Reading {
  const given: Partial<Record<keyof EncryptedOptions, unknown>> = {}
  for (const { name, value } of args) {
    const known = NAMES.find((option) => option === name)
    if (known === undefined) return unknownOption(name)
    if (known in given) return mistake(`${known} is given twice.`, 'Give it once.')
    const read = OPTIONS[known].read(value)
    if (read === undefined) {
      return mistake(`The value of ${known} is not one it takes.`, `Write ${OPTIONS[known].takes}.`)
    }
    given[known] = read
  }
  if (given.seal === 'off' && given.plaintext === 'refuse') {
    return mistake(
      'seal: off writes plaintext, which plaintext: refuse would then not read.',
      'Remove plaintext: refuse.',
    )
  }
  const options = { ...DEFAULTS, ...given } as EncryptedOptions
  const plaintext = options.seal === 'off' ? 'allow' : options.plaintext
  return { ok: true, annotation: { kind: 'encrypted', ...options, plaintext } }
}

/**
 * Read the modes of prisma-field-encryption: `?mode=strict` (what Rowseal always does) and `?mode=readonly`
 * (open, write plaintext), with their older forms `?strict` and `?readonly`.
 */
export function readModes(modes: string): Reading {
  const mode = /^\?(?:mode=)?(strict|readonly)$/.exec(modes)?.[1]
  if (mode === 'strict') return readEncrypted([])
  if (mode === 'readonly') {
    return readEncrypted([{ name: 'seal', value: { kind: 'word', text: 'off' } }])
  }
  return mistake(
    `@encrypted does not know ${modes}.`,
    'Of prisma-field-encryption, ?mode=strict and ?mode=readonly are read. Write @encrypted, or options in parentheses.',
  )
}

function unknownOption(name: string | null): Reading {
  if (name === null) {
    return mistake('An option of @encrypted has no name.', `Write one of: ${listOfOptions()}.`)
  }
  const meant = nearest(name, NAMES)
  return mistake(
    `@encrypted has no option ${name}.${meant === null ? '' : ` Did you mean ${meant}?`}`,
    `Write one of: ${listOfOptions()}.`,
  )
}

function listOfOptions(): string {
  return NAMES.join(', ')
}

function word<T extends string>(value: Value, allowed: readonly T[]): T | undefined {
  return value.kind === 'word' ? allowed.find((item) => item === value.text) : undefined
}

/** A text in quotes of a certain form. */
export function string(value: Value, pattern: RegExp): string | undefined {
  return value.kind === 'string' && pattern.test(value.text) ? value.text : undefined
}

/** A list of one or more different words. */
export function words(value: Value): readonly string[] | undefined {
  if (value.kind !== 'list') return undefined
  const texts = value.items.flatMap((item) => (item.kind === 'word' ? [item.text] : []))
  const isSound = texts.length === value.items.length && texts.length > 0
  return isSound && new Set(texts).size === texts.length ? texts : undefined
}

function mistake(what: string, fix: string): Reading {
  return { ok: false, mistake: { what, fix } }
}
