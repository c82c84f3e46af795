import type { Mistake, Reading } from './annotation.ts'
import { readArguments } from './arguments.ts'
import { readBlindIndex, readHashAlias } from './blind-index.ts'
import { readEncrypted, readModes } from './encrypted.ts'
import type { AnnotationName } from './resemble.ts'
import { meantBy } from './resemble.ts'

const MENTION = /(?<=^|\s)(@+)([A-Za-z]\w*(?:[:.-]\w+)*)/g
const LOOKS_LIKE_OPTION = /(?:^\s*[([{?&=:])|\b(?:plaintext|seal|keyring|pad|id|bind|mode)\s*[:=]/

/** A whole line that says no more than this was hardly meant as prose. */
const FORGOTTEN_AT = /^(?:@\s+)?encrypted\s*(?:[(?].*)?$/i

/**
 * Read one line of a comment.
 *
 * An annotation stands at the start of the line. Words with `@` count as (misspelt) annotations if they
 * follow white space and resemble one: `me@encrypted.org`, `@see`, `@db.Text` and anything in backquotes
 * are prose. Prose may follow an annotation, unless it looks like options gone astray.
 *
 * @param text - the line without slashes and surrounding white space.
 * @returns `null` if the line is prose.
 */
export function readComment(text: string): Reading | null {
  const mentions = [...text.matchAll(MENTION)].flatMap(({ 1: at = '', 2: name = '', index }) => {
    const meant = meantBy(name)
    return meant === null ? [] : [{ written: at + name, meant, index }]
  })
  const [first, second] = mentions
  if (first === undefined) return FORGOTTEN_AT.test(text) ? forgottenAt() : null
  if (first.written !== `@${first.meant}`) {
    return mistake(
      `${first.written} is no annotation. Did you mean @${first.meant}?`,
      `Write @${first.meant}, or put the word in backquotes if it is prose.`,
    )
  }
  if (first.index !== 0 || second !== undefined) {
    return mistake(
      `${(second ?? first).written} stands in the middle of a comment line, where it could be prose.`,
      'Put the annotation at the start of a comment line of its own, or in backquotes if it is prose.',
    )
  }
  return readNamed(first.meant, text.slice(first.written.length))
}

function readNamed(name: AnnotationName, rest: string): Reading {
  if (name === 'encryption:cursor') {
    return mistake(
      '@encryption:cursor has no use here: the migrator goes through a table by its primary key.',
      'Remove it.',
    )
  }
  const parsed = rest.startsWith('(') ? readArguments(rest) : { args: [], length: 0 }
  if (parsed === null) {
    return mistake(
      `The options of @${name} cannot be read.`,
      'Write them as (name: value, …), closed on the same line.',
    )
  }
  const modes = /^\?[^\s]*/.exec(rest.slice(parsed.length))?.[0] ?? ''
  const prose = rest.slice(parsed.length + modes.length)
  if (/^\S/.test(prose) || LOOKS_LIKE_OPTION.test(prose)) {
    return mistake(
      `The text behind @${name} looks like options, but would be ignored.`,
      `Write options as @${name}(name: value), and remarks on a comment line of their own.`,
    )
  }
  if (name === 'encryption:hash') return readHashAlias(parsed.args, modes)
  if (name === 'blindIndex') return modes === '' ? readBlindIndex(parsed.args) : noModes(name)
  if (modes === '') return readEncrypted(parsed.args)
  return rest.startsWith('(') ? noModes(name) : readModes(modes)
}

function forgottenAt(): Reading {
  return mistake(
    'This could be a misspelt @encrypted, or a remark.',
    'Write @encrypted, or say more, such as "encrypted by the application".',
  )
}

function noModes(name: AnnotationName): Reading {
  return mistake(
    `@${name} takes options either in parentheses or behind a question mark.`,
    `Write all of them in parentheses: @${name}(name: value, …).`,
  )
}

function mistake(what: string, fix: string): { readonly ok: false; readonly mistake: Mistake } {
  return { ok: false, mistake: { what, fix } }
}
