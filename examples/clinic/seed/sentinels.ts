/**
 * Marked texts that the seed plants in every sealed field, and that must never be seen outside the
 * application. They share one core, so that a search for the core finds any of them.
 */
const CORE = 'Okapi&Zeppelin~4711'

/** The same, in a column that is not sealed: a search that misses it does not work. */
const CONTROL_CORE = 'Walrus&Accordion~1871'

export function sentinel(field: string): string {
  return `${CORE} ${field}`
}

export function control(field: string): string {
  return `${CONTROL_CORE} ${field}`
}

export interface Needle {
  readonly form: string
  readonly bytes: Buffer
}

export const SENTINEL_NEEDLES = needles(CORE)
export const CONTROL_NEEDLES = needles(CONTROL_CORE)

/** What a text looks like where it leaks: itself, or as the ways in which bytes are written as text. */
function needles(text: string): readonly Needle[] {
  const bytes = Buffer.from(text)
  const hex = bytes.toString('hex')
  const forms = new Map([
    [text, 'text'],
    [hex, 'hex'],
    [hex.toUpperCase(), 'hex'],
    [hex.replaceAll(/..(?!$)/g, '$& '), 'hex'],
    [bytes.join(','), 'numbers'],
    [bytes.join(', '), 'numbers'],
  ])
  for (const start of [0, 1, 2])
    for (const encoding of ['base64url', 'base64'] as const)
      forms.set(base64Core(bytes, start, encoding), encoding)
  return [...forms].map(([form, name]) => ({ form: name, bytes: Buffer.from(form) }))
}

/** The characters that depend on `bytes` alone when they begin `start` bytes into a group of three. */
function base64Core(bytes: Buffer, start: number, encoding: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(start), bytes]).toString(encoding)
  return text.slice(Math.ceil((start * 8) / 6), Math.floor(((start + bytes.length) * 8) / 6))
}
