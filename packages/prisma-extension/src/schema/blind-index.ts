import type { Reading } from './annotation.ts'
import type { Argument, Value } from './arguments.ts'
import { ID, string, words } from './encrypted.ts'
import { nearest } from './resemble.ts'

const OPTIONS: readonly string[] = ['normalize', 'slot', 'id']
const TAKES =
  '@blindIndex(field), with options normalize: [trim, lowercase], slot: 2 or id: "Model.column" behind a comma'

/** Read the arguments of `@blindIndex(field, normalize: […], slot: n, id: "Model.column")`. */
export function readBlindIndex(args: readonly Argument[]): Reading {
  const [source, ...options] = args
  if (source?.name !== null || source.value.kind !== 'word') return misread()
  let normalize: readonly string[] = []
  let slot: 1 | 2 = 1
  let id: string | null = null
  const seen = new Set<string>()
  for (const { name, value } of options) {
    if (name === null) return misread()
    if (seen.has(name)) return misread(`${name} is given twice`)
    seen.add(name)
    if (name === 'normalize' && words(value) !== undefined) normalize = words(value) ?? []
    else if (name === 'slot' && value.kind === 'number' && [1, 2].includes(value.number))
      slot = value.number as 1 | 2
    else if (name === 'id' && string(value, ID) !== undefined) id = string(value, ID) ?? null
    else return misread(whyNot(name))
  }
  return {
    ok: true,
    annotation: { kind: 'blindIndex', field: source.value.text, normalize, slot, id },
  }
}

/** Read `@encryption:hash(field)?normalize=trim&normalize=lowercase` of prisma-field-encryption. */
export function readHashAlias(args: readonly Argument[], modes: string): Reading {
  const settings = [...new URLSearchParams(modes)]
  const other = settings.find(([name]) => name !== 'normalize')
  if (other !== undefined) {
    return {
      ok: false,
      mistake: {
        what: `@encryption:hash with ${other[0]} cannot be honoured: a blind index is always HMAC-SHA-256 in hex.`,
        fix: 'Write it as @blindIndex(field).',
      },
    }
  }
  const items = settings.map(([, text]): Value => ({ kind: 'word', text }))
  const normalize: Argument[] =
    items.length === 0 ? [] : [{ name: 'normalize', value: { kind: 'list', items } }]
  return readBlindIndex([...args, ...normalize])
}

function whyNot(name: string): string {
  if (OPTIONS.includes(name)) return `the value of ${name} is not one it takes`
  const meant = nearest(name, OPTIONS)
  return `there is no option ${name}${meant === null ? '' : `. Did you mean ${meant}?`}`
}

/** @param why - how its sentence goes on. */
function misread(why = ''): Reading {
  const sentence = `This blind index cannot be read${why === '' ? '' : `: ${why}`}`
  const what = sentence.endsWith('?') ? sentence : `${sentence}.`
  return { ok: false, mistake: { what, fix: `Write ${TAKES}.` } }
}
