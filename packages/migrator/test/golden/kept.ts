import { readFileSync } from 'node:fs'
import { openKeyring, rowseal, type Keyring } from '@rowseal/prisma-extension'
import { definePlan, type Plan } from '@rowseal/prisma-extension/plan'
import { localRootKey } from '@rowseal/prisma-extension/providers/local'
import type { KeyStore } from '@rowseal/prisma-extension/keys'
import type { MigratorConfig } from '../../src/index.ts'

/** Below vectors/golden/VERSION: what a release left in a database, and what it stands for. */
export interface Kept {
  readonly version: string
  readonly schema: string
  readonly plan: Plan
  /** Every table, index and row of a SQLite database. */
  readonly database: string
  /** A file key store with keyrings of the same names and values of its own. */
  readonly keys: string
  readonly values: Values
}

export interface Values {
  readonly note: string
  /** Hex. */
  readonly rootKey: string
  readonly patients: readonly unknown[]
  readonly visits: readonly unknown[]
  /** By key id, of each keyring. */
  readonly states: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Under the keys of the file key store. */
  readonly inFile: readonly {
    field: 'Patient.email' | 'Patient.scan'
    stored: string
    value: string
  }[]
}

export const FOLDER = new URL('../../../../vectors/golden/', import.meta.url)
export const FILES = [
  'schema.prisma',
  'plan.json',
  'database.sql',
  'keys.json',
  'values.json',
] as const

export function kept(version: string): Kept {
  const [schema, plan, database, keys, values] = FILES.map((name) =>
    readFileSync(new URL(`${version}/${name}`, FOLDER), 'utf8'),
  ) as [string, string, string, string, string]
  const source = definePlan(JSON.parse(plan))
  return { version, schema, plan: source, database, keys, values: JSON.parse(values) as Values }
}

/** The keyrings that the plan names, and a client that seals under them. */
export async function opened(
  client: any,
  plan: Plan,
  rootKey: Buffer,
  store: KeyStore,
): Promise<{ config: MigratorConfig & { keyring: Keyring[] }; sealed: any }> {
  const root = localRootKey({ key: rootKey })
  const keyring = [
    await openKeyring({ root, store }),
    await openKeyring({ root, store, name: 'audit', wrapping: 'kms' }),
  ]
  const sealed = client.$extends(rowseal({ plan, keyring, reencryption: false }))
  return { config: { client, plan, keyring }, sealed }
}

/** The states of all key versions. */
export function statesOf(keyrings: readonly Keyring[]): Values['states'] {
  const of = (ring: Keyring): object =>
    Object.fromEntries(ring.keys().map(({ keyId, state }) => [keyId, state]))
  return Object.fromEntries(keyrings.map((ring) => [ring.name, of(ring)])) as Values['states']
}

/** What reads give, as JSON can hold it. */
export async function readAll(sealed: any): Promise<Pick<Values, 'patients' | 'visits'>> {
  const patients = await sealed.patient.findMany({ orderBy: { id: 'asc' } })
  const visits = await sealed.visit.findMany({ orderBy: [{ day: 'asc' }, { room: 'asc' }] })
  return { patients: patients.map(plain), visits: visits.map(plain) }
}

function plain(row: Record<string, unknown>): object {
  const entries = Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  ])
  return Object.fromEntries(entries) as object
}
