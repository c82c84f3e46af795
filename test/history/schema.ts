import type { TestDatabase } from '@rowseal/test-support'

/**
 * Two releases of one application. Both have notes, which are sealed; in `first` an entry is on its way in
 * (`rowseal encrypt`), in `second` on its way out (`rowseal decrypt`). `writer` is not sealed: who wrote the row.
 */
export type Release = 'first' | 'second'

const ENTRY: Readonly<Record<Release, string>> = {
  first: '/// @encrypted(plaintext: allow)',
  second: '/// @encrypted(seal: off)',
}

export const schemaOf = (release: Release): string => `
model Note {
  id         Int     @id
  writer     String
  /// @encrypted
  text       String  @map("select")
  /// @encrypted(bind: [id])
  doc        Json?
  /// @encrypted
  phone      String?
  /// @blindIndex(phone, normalize: [digits])
  phoneIndex String?
  /// @encrypted
  login      String?
  /// @blindIndex(login, normalize: [lowercase])
  loginIndex String? @unique
  /// @blindIndex(login, normalize: [lowercase], slot: 2)
  loginOther String? @unique
  @@index([phoneIndex])
  @@map("group")
}
model Entry {
  id         Int     @id
  writer     String
  ${ENTRY[release]}
  text       String
  ${ENTRY[release]}
  memo       String?
}
`

/** A sealed column as the database names it. */
export interface SealedColumn {
  readonly table: string
  readonly model: 'Note' | 'Entry'
  readonly field: string
  readonly column: string
}

export const SEALED_COLUMNS: readonly SealedColumn[] = [
  { table: 'group', model: 'Note', field: 'text', column: 'select' },
  { table: 'group', model: 'Note', field: 'doc', column: 'doc' },
  { table: 'group', model: 'Note', field: 'phone', column: 'phone' },
  { table: 'group', model: 'Note', field: 'login', column: 'login' },
  { table: 'Entry', model: 'Entry', field: 'text', column: 'text' },
  { table: 'Entry', model: 'Entry', field: 'memo', column: 'memo' },
]

export type Provider = Exclude<TestDatabase['provider'], 'sqlite'>
