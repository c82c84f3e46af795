/**
 * What a write writes: an identity no other write has, and from it the values of all columns, so that a read tells
 * which write it saw, and whether it saw all of it. What is sealed holds a sentinel that is looked for in files
 * and logs afterwards; what may be in plaintext (entries) does not.
 */
export interface Content {
  /** Such as `app-1.3/27`: the 27th write of the third process in that place. */
  readonly writer: string
  readonly hasDoc: boolean
  readonly phone: number | null
  /** A few that all records share: a write of one that another record has is refused. */
  readonly login: number | null
}

export const SENTINEL = 'RowsealHistorySentinel'
/** Begins what is no secret and stands in every table: whoever does not find it does not see. */
export const CONTROL = 'SeenInPlaintext'
/** Of telephone numbers, whose index goes by digits alone. */
export const DIGITS = '3141592653589'

export const NOTE_FIELDS = { writer: true, text: true, doc: true, phone: true, login: true }
export const ENTRY_FIELDS = { writer: true, text: true, memo: true }

export function noteOf({ writer, hasDoc, phone, login }: Content, dbNull: unknown): any {
  return {
    writer,
    text: `${SENTINEL} ${writer}`,
    doc: hasDoc ? { writer, sentinel: SENTINEL, list: [null, 1.5] } : dbNull,
    phone: phone === null ? null : `+${DIGITS} (0) ${phone}`,
    login: login === null ? null : loginOf(login),
  }
}

export const loginOf = (login: number): string => `${SENTINEL} User ${login}`

export function entryOf({ writer, phone }: Content): any {
  return {
    writer,
    text: `entry ${writer}`,
    memo: phone === null ? null : `memo ${phone} ${writer}`,
  }
}

/** What a row says that was read: the same text for the same content, and another for anything else. */
export function contentOf(row: any): string {
  return JSON.stringify([row.writer, 'memo' in row ? saidOfEntry(row) : saidOfNote(row)])
}

function saidOfNote({ text, doc, phone, login }: any): unknown {
  return [
    text.slice(SENTINEL.length + 1),
    doc === null ? null : [doc.writer, doc.sentinel === SENTINEL, doc.list],
    phone?.slice(DIGITS.length + 6) ?? null,
    login?.slice(SENTINEL.length + 6) ?? null,
  ]
}

function saidOfEntry({ text, memo }: any): unknown {
  return [text.slice(6), memo?.slice(5) ?? null]
}

/** What a content says once it was written and read. */
export const expectedNote = (content: Content): string => contentOf(noteOf(content, null))
export const expectedEntry = (content: Content): string => contentOf(entryOf(content))
