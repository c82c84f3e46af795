import type { Keyring } from '@rowseal/prisma-extension'
import type { Plan } from '@rowseal/prisma-extension/plan'
import type { SqlClient } from '@rowseal/prisma-extension/sql'
import { MigrationError } from './errors.ts'

/** What `rowseal.config.ts` exports: the same three things that the application is made of. */
export interface MigratorConfig {
  /** The PrismaClient without Rowseal's extension. */
  readonly client: SqlClient
  readonly plan: Plan
  /** From `openKeyring`; several if fields of the plan name other keyrings. */
  readonly keyring: Keyring | readonly Keyring[]
}

/** Types the configuration. Use it as the default export of `rowseal.config.ts`. */
export function defineConfig(config: MigratorConfig): MigratorConfig {
  return config
}

/** A configuration that was checked. */
export interface Context {
  readonly client: SqlClient
  readonly plan: Plan
  readonly keyrings: ReadonlyMap<string, Keyring>
}

/**
 * Looks at what is there, not at classes: the configuration may come from another copy of the package.
 *
 * @throws {MigrationError} `ERR_CONFIG_INVALID`
 */
export function contextOf(config: MigratorConfig): Context {
  const { client, plan, keyring } = config
  if (!has(client, ['$queryRawUnsafe', '$executeRawUnsafe', '$transaction']))
    throw invalid('client is no PrismaClient', 'Pass the PrismaClient without extensions.')
  if (!has(plan, ['models', 'provider', 'digest']))
    throw invalid('plan is none', 'Pass the plan that `npx prisma generate` wrote.')
  const list = isList(keyring) ? keyring : [keyring]
  if (
    list.length === 0 ||
    !list.every((one) => has(one, ['forProtect', 'forProcessEach', 'store']))
  )
    throw invalid('keyring is none', 'Pass what `await openKeyring(…)` gave.')
  return { client, plan, keyrings: new Map(list.map((one) => [one.name, one])) }
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
  throw new MigrationError(
    'ERR_CONFIG_INVALID',
    `${label} is sealed under keyring "${name}", which the configuration does not have.`,
    { fix: 'Pass all keyrings: `keyring: [one, other]`.', field: label },
  )
}

function isList(keyring: Keyring | readonly Keyring[]): keyring is readonly Keyring[] {
  return Array.isArray(keyring)
}

function has(value: unknown, names: readonly string[]): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return isObject && names.every((name) => (value as Record<string, unknown>)[name] !== undefined)
}

function invalid(problem: string, fix: string): MigrationError {
  return new MigrationError('ERR_CONFIG_INVALID', `The configuration's ${problem}.`, { fix })
}
