/** Json is the content of the JSON string, without quotes. */
export type StoredScalar = string | Uint8Array
/** A stored value; a list for a list column. */
export type StoredValue = StoredScalar | readonly StoredScalar[]

/** JSON that is no string, as text: plaintext, carried along untouched. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type ColumnScalar = StoredScalar | RawJson
/** Whatever a sealed column may hold except NULL, plaintext included. */
export type ColumnValue = ColumnScalar | readonly (ColumnScalar | null)[]

/** JSON text of an element. Takes what Prisma made of Json too. */
export function jsonText(value: ColumnScalar): string {
  return value instanceof RawJson ? value.text : JSON.stringify(value)
}

/** The value that a JSON text stands for. Gives back the same text through `jsonText`, also if that is no JSON. */
export function fromJsonText(text: string): string | RawJson {
  if (!text.startsWith('"')) return new RawJson(text)
  try {
    const value = JSON.parse(text) as string
    return JSON.stringify(value) === text ? value : new RawJson(text)
  } catch {
    return new RawJson(text) // as SQLite may hold it
  }
}

export function isList(value: ColumnValue): value is readonly (ColumnScalar | null)[] {
  return Array.isArray(value)
}
