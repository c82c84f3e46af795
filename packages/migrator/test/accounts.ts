import { indexValue, normalize } from '@rowseal/prisma-extension/envelope'
import { rowseal, type KeyringOptions } from '@rowseal/prisma-extension'
import { reindex, rotateIndex, type MigratorConfig } from '../src/index.ts'
import { world, type Provider, type World } from './world.ts'

/** Unique by itself and by tenant, each with a second column; and unique with one column only. */
export const ACCOUNTS = `
model Account {
  id         Int     @id
  tenant     Int
  /// @encrypted
  login      String
  /// @blindIndex(login, normalize: [lowercase])
  loginIndex String? @unique
  /// @blindIndex(login, normalize: [lowercase], slot: 2)
  loginOther String? @unique
  /// @encrypted
  code       String?
  /// @blindIndex(code)
  codeIndex  String?
  /// @blindIndex(code, slot: 2)
  codeOther  String?
  @@unique([tenant, codeIndex])
  @@unique([tenant, codeOther])
}
`

export const BADGES = `
model Badge {
  id        Int     @id
  /// @encrypted
  code      String?
  /// @blindIndex(code)
  codeIndex String? @unique
}
`

/** Instances follow a change within so many milliseconds. */
export const FOLLOW = { refreshMs: 600, maxAgeMs: 600 }

export function account(i: number): { id: number; tenant: number; login: string; code: string } {
  return { id: i, tenant: i % 3, login: `User${i}`, code: `c${Math.floor(i / 3)}` }
}

export async function accounts(provider: Provider, count: number): Promise<World> {
  const w = await world(provider, ACCOUNTS, { keyring: FOLLOW })
  await w.sealed.account.createMany({ data: Array.from({ length: count }, (_, i) => account(i)) })
  return w
}

/** Another instance of the application, with keys and views of its own. */
export async function instance(w: World, options?: Partial<KeyringOptions>): Promise<any> {
  const { client, plan, keyring } = await w.another(options)
  return (client as any).$extends(rowseal({ plan, keyring, reencryption: false }))
}

/**
 * An application sends again what was refused with `retryable`: on a busy machine a read of the store may take
 * longer than the little time that instances have here.
 */
export async function again<T>(operation: () => PromiseLike<T>): Promise<T> {
  for (;;) {
    try {
      return await operation()
    } catch (error) {
      if ((error as { retryable?: unknown }).retryable !== true) throw error
    }
  }
}

/** The columns of one index, as the database has them. */
export async function columns(w: World): Promise<any[]> {
  return w.plain.account.findMany({
    select: { id: true, loginIndex: true, loginOther: true, codeIndex: true, codeOther: true },
    orderBy: { id: 'asc' },
  })
}

/** What the columns should hold, by the key id of each slot. */
export async function expectedColumns(
  w: World,
  [first, second]: readonly [number | null, number | null],
): Promise<any[]> {
  const view = await w.keyring.index.view()
  const hash = (column: string, keyId: number | null, text: string | null): string | null =>
    keyId === null || text === null ? null : indexValue(view.key(`Account.${column}`, keyId), text)
  return (await w.sealed.account.findMany({ orderBy: { id: 'asc' } })).map((row: any) => ({
    id: row.id,
    loginIndex: hash('loginIndex', first, normalize(['lowercase'], row.login)),
    loginOther: hash('loginOther', second, normalize(['lowercase'], row.login)),
    codeIndex: hash('codeIndex', first, row.code),
    codeOther: hash('codeOther', second, row.code),
  }))
}

/** Make a new index key active and move everything to it, without waiting. */
export async function rotateNow(config: MigratorConfig): Promise<void> {
  await rotateIndex(config, { now: true })
  await reindex(config, { now: true })
}
