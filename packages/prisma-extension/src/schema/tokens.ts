/** `doc` is `///`, `plain` is `//`, `block` is between `/*` and its end (Prisma 6 drops it, 7 reads it). */
export interface Comment {
  readonly kind: 'doc' | 'plain' | 'block'
  /** One line of it, without slashes and surrounding white space. */
  readonly text: string
  readonly line: number
}

/** A whole comment, string or line break; one bracket or brace; or other code up to the next of these. */
export interface Token {
  readonly kind: 'comment' | 'string' | 'newline' | 'code'
  readonly text: string
  readonly start: number
  readonly line: number
}

const TOKEN =
  /(?<comment>\/\/[^\r\n]*|\/\*[^]*?\*\/)|(?<string>"(?:\\[^\r\n]|[^"\\\r\n])*")|(?<newline>\r\n?|\n)|[^"/\r\n{}()[\]]+|[^]/g

/** Cut schema text into tokens, in order and without loss. */
export function* tokens(text: string): Generator<Token> {
  let line = 1
  for (const match of text.matchAll(TOKEN)) {
    const kind = kindOf(match.groups ?? {})
    yield { kind, text: match[0], start: match.index, line }
    line += kind === 'newline' ? 1 : countNewlines(match[0])
  }
}

function kindOf(groups: Record<string, string | undefined>): Token['kind'] {
  if (groups['comment'] !== undefined) return 'comment'
  if (groups['string'] !== undefined) return 'string'
  return groups['newline'] !== undefined ? 'newline' : 'code'
}

function countNewlines(text: string): number {
  return text.match(/\r\n?|\n/g)?.length ?? 0
}

/** The lines of a comment, bare. */
export function commentLines({ text, line }: Token): Comment[] {
  if (text.startsWith('///')) return [{ kind: 'doc', text: text.slice(3).trim(), line }]
  if (text.startsWith('//')) return [{ kind: 'plain', text: text.slice(2).trim(), line }]
  return text
    .slice(2, -2)
    .split(/\r\n?|\n/)
    .map((part, index) => ({
      kind: 'block',
      text: part.replace(/^[\s*]+/, '').trim(),
      line: line + index,
    }))
}
