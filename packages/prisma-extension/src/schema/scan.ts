import type { Comment, Token } from './tokens.ts'
import { commentLines, tokens } from './tokens.ts'

/** One file of a Prisma schema. `file` is the name people see in messages. */
export interface SchemaFile {
  readonly file: string
  readonly text: string
}

/** A field, an enum value, an `@@` attribute or a setting inside a block. */
export interface Member {
  readonly name: string
  /** The statement with every string emptied, so that a search in it meets code only. */
  readonly code: string
  /** The same statement as it was written, on one line. */
  readonly text: string
  readonly line: number
  /** Comments above it and behind it. */
  readonly comments: readonly Comment[]
}

/** A top-level block: `model`, `view`, `type`, `enum`, `generator` or `datasource`. */
export interface Block {
  readonly kind: string
  readonly name: string
  readonly line: number
  /** Offsets in the text, from the keyword to behind the closing brace. */
  readonly start: number
  readonly end: number
  readonly comments: readonly Comment[]
  readonly members: readonly Member[]
  /** Comments inside that belong to no member. */
  readonly loose: readonly Comment[]
}

export interface ScannedFile {
  readonly file: string
  readonly blocks: readonly Block[]
  /** Comments that belong to no block. */
  readonly loose: readonly Comment[]
}

/** Split schema text into blocks, members and comments. The text must be one Prisma accepts. */
export function scanSchema({ file, text }: SchemaFile): ScannedFile {
  const scanner = new Scanner()
  for (const token of tokens(text)) scanner.take(token)
  return { file, ...scanner.end() }
}

interface Statement {
  code: string
  text: string
  line: number
  start: number
  comments: Comment[]
}

function statementAt({ line, start }: Token, comments: Comment[]): Statement {
  return { code: '', text: '', line, start, comments }
}

interface OpenBlock {
  header: Statement
  comments: Comment[]
  members: Member[]
  loose: Comment[]
}

/**
 * Outside a block a statement is a header and ends at `{`. Inside, a statement ends at a line break
 * that is not within brackets, or at `}`. Comments behind a statement on its line belong to it, those on
 * lines of their own to the next one: blank lines do not part them, just as Prisma reads them.
 */
class Scanner {
  readonly #blocks: Block[] = []
  readonly #loose: Comment[] = []
  #pending: Comment[] = []
  #statement: Statement | null = null
  #block: OpenBlock | null = null
  #depth = 0
  #braceLine = 0

  take(token: Token): void {
    if (token.kind === 'comment') this.#comment(token)
    else if (token.kind === 'newline') this.#newline(token)
    else if (token.text === '{' && this.#block === null) this.#open(token)
    else if (token.text === '}' && this.#block !== null && this.#depth === 0) this.#close(token)
    else this.#append(token)
  }

  end(): { blocks: Block[]; loose: Comment[] } {
    this.#loose.push(...this.#pending)
    return { blocks: this.#blocks, loose: this.#loose }
  }

  #comment(token: Token): void {
    const lines = commentLines(token)
    if (this.#statement !== null) this.#statement.comments.push(...lines)
    else if (token.line === this.#braceLine) (this.#block?.loose ?? this.#loose).push(...lines)
    else this.#pending.push(...lines)
  }

  #newline(token: Token): void {
    if (this.#depth > 0) this.#append({ ...token, text: ' ' })
    else if (this.#block !== null) this.#finishMember()
  }

  #append(token: Token): void {
    if (this.#statement === null) {
      if (token.text.trim() === '') return
      this.#statement = statementAt(token, this.#pending)
      this.#pending = []
    }
    if (token.text === '(' || token.text === '[') this.#depth += 1
    if (token.text === ')' || token.text === ']') this.#depth = Math.max(0, this.#depth - 1)
    this.#statement.code += token.kind === 'string' ? '""' : token.text
    this.#statement.text += token.text
  }

  #open(token: Token): void {
    const header = this.#statement ?? statementAt(token, [])
    this.#statement = null
    this.#braceLine = token.line
    this.#block = { header, comments: header.comments, members: [], loose: [] }
  }

  #finishMember(): void {
    const statement = this.#statement
    if (statement === null || this.#block === null) return
    const { comments, line } = statement
    const code = statement.code.trim()
    const name = /^[^\s=(]*/.exec(code)?.[0] ?? ''
    this.#block.members.push({ name, code, text: statement.text.trim(), line, comments })
    this.#statement = null
  }

  #close(token: Token): void {
    const block = this.#block
    if (block === null) return
    this.#finishMember()
    const [kind = '', name = ''] = block.header.code.trim().split(/\s+/)
    this.#blocks.push({
      kind,
      name,
      line: block.header.line,
      start: block.header.start,
      end: token.start + 1,
      comments: block.comments,
      members: block.members,
      loose: [...block.loose, ...this.#pending],
    })
    this.#pending = []
    this.#block = null
    this.#braceLine = token.line
  }
}
