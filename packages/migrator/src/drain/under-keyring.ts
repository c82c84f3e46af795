import type { Keyring } from '@rowseal/prisma-extension'
import { sealBytes, sealText } from '@rowseal/prisma-extension/envelope'
import type { Kek } from '@rowseal/prisma-extension/keys/dek-wrap'
import type { ReencryptKeys } from '@rowseal/prisma-extension/keys'
import type { ColumnScalar, PageRow } from '@rowseal/prisma-extension/sql'
import { freshDeks } from '../engine/deks.ts'
import { codeOf } from '../engine/value-code.ts'
import { open, parse, type BadSite, type Place, type Site } from '../engine/values.ts'
import type { TargetField } from '../targets.ts'
import { reencryptValues, type ReencryptJob } from '../threads/job.ts'
import type { CipherThreads } from '../threads/threads.ts'

/** A stored value under a stale key id, and where it stands. */
export interface StaleSite extends Place {
  readonly keyId: number
  readonly value: string | Uint8Array
  readonly bound: PageRow['bound']
}

interface Resealed {
  readonly site: Place
  readonly value: ColumnScalar
}

/** Values that were sealed again, and those that do not open. */
export interface Reencrypted {
  readonly sealed: readonly Resealed[]
  readonly bad: readonly BadSite[]
}

/** Open stale values of one keyring and seal them again, with one fresh DEK per record. In the order of the rows. */
export async function reencryptUnder(
  keyring: Keyring,
  fields: readonly TargetField[],
  sites: readonly StaleSite[],
  threads?: CipherThreads,
): Promise<Reencrypted> {
  const records = new Set(sites.map(({ row }) => row)).size
  const keys = await keyring.forReencrypt(new Set(sites.map(({ keyId }) => keyId)), records)
  return keys === null ? byRootKey(keyring, fields, sites) : byKeks(keys, fields, sites, threads)
}

/** A KEK wraps their DEKs: no I/O, and any thread can do it. */
async function byKeks(
  { opening: found, sealing }: ReencryptKeys,
  fields: readonly TargetField[],
  sites: readonly StaleSite[],
  threads: CipherThreads | undefined,
): Promise<Reencrypted> {
  const bad: BadSite[] = []
  const mine: StaleSite[] = []
  const bound: (readonly string[] | null)[] = []
  for (const site of sites) {
    try {
      const key = found.get(site.keyId)
      if (key instanceof Error) throw key
      bound.push(fields[site.field]!.boundTo(site.bound))
      mine.push(site)
    } catch (error) {
      bad.push({ ...site, code: codeOf(error) })
    }
  }
  const job: ReencryptJob = {
    opening: new Map([...found].filter((one): one is [number, Kek] => !(one[1] instanceof Error))),
    sealing,
    ids: fields.map(({ spec }) => spec.id),
    values: mine.map(({ value }) => value),
    records: mine.map(({ row }) => row),
    fields: mine.map(({ field }) => field),
    bound: bound.some((binding) => binding !== null) ? bound : null,
  }
  const { values, codes } =
    threads === undefined ? reencryptValues(job) : await threads.reencrypt(job)
  const sealed: Resealed[] = []
  for (const [i, site] of mine.entries()) {
    const value = values[i] ?? null
    if (value !== null) sealed.push({ site, value })
    else bad.push({ ...site, code: codes.get(i)! })
  }
  return { sealed, bad }
}

/** A root key wraps the DEKs of some: calls of it, and so of this process. */
async function byRootKey(
  keyring: Keyring,
  fields: readonly TargetField[],
  stale: readonly StaleSite[],
): Promise<Reencrypted> {
  const sites: Site[] = []
  const bad: BadSite[] = []
  for (const one of stale) {
    try {
      const envelope = parse(one.value)
      if (envelope !== null) sites.push({ ...one, envelope })
    } catch (error) {
      bad.push({ ...one, code: codeOf(error) })
    }
  }
  const dekOf = await freshDeks(sites.map(({ row }) => ({ keyring, row })))
  const sealed: Resealed[] = []
  const unopened = await open(fields, sites, (site, plaintext) => {
    const field = fields[site.field]!
    const dek = dekOf({ keyring, row: site.row })
    const seal = field.spec.type === 'Bytes' ? sealBytes : sealText
    sealed.push({ site, value: seal(dek, field.aad(dek.suite, site.bound), plaintext) })
  })
  return { sealed, bad: [...bad, ...unopened] }
}
