import type { Keyring, Keyrings } from '@rowseal/prisma-extension'
import { DEFAULT_KEYRING } from '@rowseal/prisma-extension/keys'
import type { Plan } from '@rowseal/prisma-extension/plan'
import { inSchemaOf, type SqlClient } from '@rowseal/prisma-extension/sql'
import { MigrationError } from './errors.ts'
import type { Queue } from './queue/queue.ts'
import type { CipherThreads } from './threads/threads.ts'
import { AllTenants, single, type ValueKeyring } from './tenants.ts'

/** What `rowseal.config.ts` exports: the same three things that the application is made of. */
export interface MigratorConfig {
  /** The PrismaClient without Rowseal's extension. */
  readonly client: SqlClient
  readonly plan: Plan
  /** From `openKeyring`, several if fields of the plan name other keyrings; or from `openKeyrings`, for tenants. */
  readonly keyring: Keyring | readonly Keyring[] | Keyrings
  /** Hands parts of runs to `rowseal worker`: `bullmqQueue` of `@rowseal/migrator/queues/bullmq`. */
  readonly queue?: Queue
}

/** Types the configuration. Use it as the default export of `rowseal.config.ts`. */
export function defineConfig(config: MigratorConfig): MigratorConfig {
  return config
}

/** A configuration that was checked. */
export interface Context {
  readonly client: SqlClient
  readonly plan: Plan
  /** By name; those of tenants too, if they are open. */
  readonly keyrings: ReadonlyMap<string, Keyring>
  /** What the fields of a plan are under, by the keyring they name. */
  readonly values: ReadonlyMap<string, ValueKeyring>
  /** Do the cryptography of a drain. Absent: this thread does. */
  readonly threads?: CipherThreads
}

/**
 * Looks at what is there, not at classes: the configuration may come from another copy of the package.
 *
 * @throws {MigrationError} `ERR_CONFIG_INVALID`, also for keyrings of tenants: those are opened first.
 */
export function contextOf(config: MigratorConfig): Context {
  const { client, plan, keyring } = checked(config)
  if (isPool(keyring))
    throw new MigrationError(
      'ERR_CONFIG_INVALID',
      'This cannot be done yet for the keyrings of all tenants at once.',
      { fix: 'Pass the keyrings it is about as `keyring: [one, other]`, each from openKeyring.' },
    )
  const list = isList(keyring) ? keyring : [keyring]
  const keyrings = new Map(list.map((one) => [one.name, one]))
  return { client, plan, keyrings, values: valuesOf(keyrings) }
}

/**
 * What a look at runs takes, whatever the keyrings.
 *
 * @throws {MigrationError} `ERR_CONFIG_INVALID`
 */
export function databaseOf(config: MigratorConfig): Pick<Context, 'client' | 'plan'> {
  const { client, plan } = checked(config)
  return { client, plan }
}

/**
 * As `contextOf`; with `openKeyrings` the keyrings that fields name and those of all tenants are opened.
 *
 * @throws {KeyError} what opening them throws.
 */
export async function openContext(config: MigratorConfig): Promise<Context> {
  const { client, plan, keyring } = checked(config)
  if (!isPool(keyring)) return contextOf(config)
  const keyrings = new Map<string, Keyring>()
  for (const name of fixedNames(plan)) keyrings.set(name, await keyring.get(name))
  const tenants = new AllTenants(keyring)
  const values = new Map([...valuesOf(keyrings), [DEFAULT_KEYRING, tenants]])
  await tenants.refresh()
  return { client, plan, keyrings: new Map([...keyrings, ...tenants.members]), values }
}

/**
 * The keyring of one name alone.
 *
 * @param name - may be left out if there is one.
 * @throws {TypeError} if no keyring is called so, or there are several and none was named.
 */
export async function openOne(config: MigratorConfig, name: string | undefined): Promise<Context> {
  const { client, plan, keyring } = checked(config)
  if (!isPool(keyring)) return contextOf(config)
  if (name === undefined) throw new TypeError('Name the keyring, as with --keyring tenant/acme.')
  const keyrings = new Map([[name, await keyring.get(name)]])
  return { client, plan, keyrings, values: valuesOf(keyrings) }
}

/** The keyrings that fields are under whoever the tenant is. */
export function fixedNames({ models }: Plan): readonly string[] {
  const fields = Object.values(models).flatMap(({ sealed }) => Object.values(sealed))
  const names = new Set(fields.map(({ keyring }) => keyring))
  return [...names].filter((name) => name !== DEFAULT_KEYRING)
}

export function isPool(keyring: MigratorConfig['keyring']): keyring is Keyrings {
  return has(keyring, ['ownerOf', 'get', 'names'])
}

function valuesOf(keyrings: ReadonlyMap<string, Keyring>): ReadonlyMap<string, ValueKeyring> {
  return new Map([...keyrings].map(([name, keyring]) => [name, single(keyring)]))
}

function checked(config: MigratorConfig): MigratorConfig {
  const { client, plan, keyring, queue } = config
  if (!has(client, ['$queryRawUnsafe', '$executeRawUnsafe', '$transaction']))
    throw invalid('client is no PrismaClient', 'Pass the PrismaClient without extensions.')
  if (!has(plan, ['models', 'provider', 'digest']))
    throw invalid('plan is none', 'Pass the plan that `npx prisma generate` wrote.')
  const list: readonly unknown[] = Array.isArray(keyring) ? keyring : [keyring]
  const areKeyrings = list.every((one) => has(one, ['forProtect', 'forProcessEach', 'store']))
  if (!isPool(keyring) && (list.length === 0 || !areKeyrings))
    throw invalid('keyring is none', 'Pass what `await openKeyring(…)` or `openKeyrings(…)` gave.')
  if (queue !== undefined && !has(queue, ['label', 'connect']))
    throw invalid('queue is none', 'Pass what `bullmqQueue(…)` gave.')
  return { ...config, plan: inSchemaOf(plan, client) }
}

/**
 * What the values of a sealed field are under.
 *
 * @param label - `Model.field`, for the error.
 * @throws {MigrationError} `ERR_CONFIG_INVALID` if it is not there.
 */
export function valuesUnder({ values }: Context, name: string, label: string): ValueKeyring {
  const keyring = values.get(name)
  if (keyring === undefined) throw lacking(name, label)
  return keyring
}

/**
 * The keyring of a sealed field.
 *
 * @param label - `Model.field`, for the error.
 * @throws {MigrationError} `ERR_CONFIG_INVALID` if it is not there.
 */
export function keyringOf({ keyrings }: Context, name: string, label: string): Keyring {
  const keyring = keyrings.get(name)
  if (keyring !== undefined) return keyring
  throw lacking(name, label)
}

function lacking(name: string, label: string): MigrationError {
  return new MigrationError(
    'ERR_CONFIG_INVALID',
    `${label} is sealed under keyring "${name}", which the configuration does not have.`,
    { fix: 'Pass all keyrings: `keyring: [one, other]`.', field: label },
  )
}

function isList(keyring: MigratorConfig['keyring']): keyring is readonly Keyring[] {
  return Array.isArray(keyring)
}

function has(value: unknown, names: readonly string[]): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && names.every((name) => (value as Record<string, unknown>)[name] !== undefined)
}

function invalid(problem: string, fix: string): MigrationError {
  return new MigrationError('ERR_CONFIG_INVALID', `The configuration's ${problem}.`, { fix })
}
