import type { KeyringOptions } from '@rowseal/prisma-extension'
import { encrypt, reindex } from '../../src/index.ts'
import { world, type Provider, type World } from '../world.ts'
import { noteOf, type Note } from './note.ts'

/** What the application does with the table: it enters Rowseal, lives with it, leaves. */
export type Stage = 'entering' | 'sealed' | 'leaving'

const OPTIONS: Readonly<Record<Stage, readonly string[]>> = {
  entering: ['plaintext: allow'],
  sealed: [],
  leaving: ['seal: off'],
}

const encrypted = (stage: Stage, ...more: readonly string[]): string => {
  const options = [...OPTIONS[stage], ...more]
  return `/// @encrypted${options.length === 0 ? '' : `(${options.join(', ')})`}`
}

/** A bound value, one that is searched, and one that is unique. */
const schema = (stage: Stage): string => `
model Note {
  id         Int     @id
  ${encrypted(stage)}
  text       String  @map("select")
  ${encrypted(stage, 'bind: [id]')}
  doc        Json?
  ${encrypted(stage)}
  phone      String?
  /// @blindIndex(phone, normalize: [digits])
  phoneIndex String?
  ${encrypted(stage)}
  login      String?
  /// @blindIndex(login, normalize: [lowercase])
  loginIndex String? @unique
  /// @blindIndex(login, normalize: [lowercase], slot: 2)
  loginOther String? @unique
  @@index([phoneIndex])
  @@map("group")
}
`

/** One database, as each stage of the application sees it. */
export interface Table {
  readonly provider: Provider
  readonly entering: World
  readonly sealed: World
  readonly leaving: World
}

/** How the keyrings of these tests are opened, where instances have to follow within less than a second. */
export const QUICK: Partial<KeyringOptions> = { refreshMs: 100, maxAgeMs: 500 }

export async function openTable(
  provider: Provider,
  keyring: Partial<KeyringOptions> = {},
): Promise<Table> {
  const entering = await world(provider, schema('entering'), { keyring })
  const others = { on: entering, init: false, keyring }
  const sealed = await world(provider, schema('sealed'), others)
  const leaving = await world(provider, schema('leaving'), others)
  return { provider, entering, sealed, leaving }
}

/** In place of all rows: `count`, as an application wrote them that does not know of Rowseal. */
export async function fillPlain({ entering }: Table, count: number): Promise<Note[]> {
  const data = Array.from({ length: count }, (_, id) => noteOf(id, 0))
  await entering.run('DELETE FROM rowseal_parts', 'DELETE FROM rowseal_runs')
  await entering.plain.note.deleteMany()
  await entering.plain.note.createMany({ data })
  return data
}

/** The same, sealed, with complete indexes. */
export async function fillSealed(table: Table, count: number): Promise<Note[]> {
  const notes = await fillPlain(table, count)
  await encrypt(table.entering.config, { now: true })
  await reindex(table.entering.config, { now: true })
  return notes
}
