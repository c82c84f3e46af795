import prismaExtension from '@prisma/client/extension'
import { SchemaError } from '../errors.ts'
import type { Keyring, Keyrings, KeyringStats } from '../keys/index.ts'
import { checkPlan, type Plan, type PlanSource } from '../plan/index.ts'
import { compile, type CompiledPlan } from '../query/index.ts'
import { inSchemaOf, type SqlClient } from '../sql/index.ts'
import { columnCheck } from './cut-off.ts'
import {
  globalOmitOf,
  isStrictAboutUndefined,
  schemaTextOf,
  withoutExtensions,
} from './internals.ts'
import { rawAccess, type RawAccess } from './raw.ts'
import { runOperation, type Context, type HookParams } from './operation.ts'
import {
  ReencryptionQueue,
  type ReencryptionOptions,
  type ReencryptionStats,
} from './reencryption.ts'
import { recordSwapper } from './reseal.ts'
import { strictMode } from './strict-mode.ts'
import { TenantContexts, type SharedContext } from './tenants.ts'

export type RowsealOptions<S extends PlanSource = PlanSource> = {
  /** The module the generator wrote. */
  readonly plan: Plan<S>
  /** Re-encryption of stale values that reads meet; `false` leaves them to the migrator. */
  readonly reencryption?: ReencryptionOptions | false
} & (NoTenants | Tenants)

interface NoTenants {
  /** The keyring, or all keyrings that the plan's fields name; those of all tenants, to read them. */
  readonly keyring: Keyring | readonly Keyring[] | Keyrings
  readonly tenant?: never
}

interface Tenants {
  /** From `openKeyrings`: one for each tenant, and those that fields name. */
  readonly keyring: Keyrings
  /**
   * The id of the current tenant, usually from an `AsyncLocalStorage`: called once for each operation that
   * may touch a sealed field, when it is awaited. Fields that name no keyring are under `tenant/<id>` then.
   * Left out, values of all tenants can be read, and nothing can be written or searched.
   */
  readonly tenant: () => string | undefined
}

export interface RowsealStats {
  readonly reencryption: ReencryptionStats
  /** By name. */
  readonly keyrings: Readonly<Record<string, KeyringStats>>
}

/** What does not fit a query: `prisma.$rowseal`. The same object inside and outside a transaction. */
export interface RowsealClient<S extends PlanSource = PlanSource> extends RawAccess<S> {
  /**
   * Wait until no stale value that a read met is waiting any more: each is rewritten, or counted in `stats`.
   *
   * @param options - `timeoutMs`, default 10,000.
   * @returns false if the time ran out first. Do not await it inside an interactive transaction.
   */
  flush(options?: { readonly timeoutMs?: number }): Promise<boolean>
  stats(): RowsealStats
}

/**
 * The Prisma extension: `client.$extends(rowseal({ plan, keyring }))`. Values of annotated fields are
 * sealed on write and opened on read; stale values met on read are rewritten in the background.
 *
 * Extensions that filter by, write or read sealed fields go before it, read-replicas goes after it.
 *
 * @throws {SchemaError} at `$extends`: `ERR_PLAN_STALE` if the plan does not belong to the client's
 * schema, `ERR_EXTENSION_ORDER` if the client has Rowseal or read replicas already.
 */
export function rowseal<const S extends PlanSource>(options: RowsealOptions<S>) {
  assertOptions(options)
  const { plan } = options
  return prismaExtension.Prisma.defineExtension((client) => {
    refuseOrder(client)
    checkPlan(plan, schemaTextOf(client) ?? '')
    const plainClient = withoutExtensions(client)
    const assertStrict = strictMode(plainClient, plan.provider)
    const queue =
      options.reencryption === false
        ? null
        : new ReencryptionQueue(
            plan.provider,
            recordSwapper(plainClient as unknown as SqlClient, plan.provider, assertStrict),
            options.reencryption,
          )
    const shared: SharedContext = {
      client,
      plainClient,
      assertStrict,
      assertFits: columnCheck(plainClient, plan.provider),
      globalOmit: globalOmitOf(client),
      onStale: queue === null ? null : (records) => queue.add(records),
      underWay: new Set(),
    }
    const { run, planOf, keyrings } = wiring(
      { ...options, plan: inSchemaOf(plan, client) },
      shared,
      isStrictAboutUndefined(client),
    )
    const $rowseal: RowsealClient<S> = {
      ...rawAccess<S>(planOf),
      flush: async ({ timeoutMs } = {}) => queue === null || queue.flush(timeoutMs),
      stats: () => ({
        reencryption: queue?.stats() ?? NOTHING_REENCRYPTED,
        keyrings: Object.fromEntries(
          [...keyrings()].map((keyring) => [keyring.name, keyring.stats()]),
        ),
      }),
    }
    return client.$extends({
      name: 'rowseal',
      client: { $rowseal },
      query: {
        $allModels: {
          $allOperations: (params) => run(params as unknown as HookParams),
        },
      },
    })
  })
}

interface Wiring {
  readonly run: (params: HookParams) => Promise<unknown>
  readonly planOf: () => CompiledPlan | Promise<CompiledPlan>
  /** Those that are open. */
  readonly keyrings: () => Iterable<Keyring>
}

/** With keyrings known beforehand, all operations share one context. */
function wiring(options: RowsealOptions, shared: SharedContext, isStrict: boolean): Wiring {
  const { plan, keyring, tenant } = options
  if (isPool(keyring)) {
    const contexts = new TenantContexts(shared, { plan, keyrings: keyring, tenant, isStrict })
    return {
      run: (params) => contexts.run(params),
      planOf: () => contexts.plan(),
      keyrings: () => keyring.open(),
    }
  }
  const keyrings: readonly Keyring[] = isList(keyring) ? keyring : [keyring]
  const context: Context = { ...shared, plan: compile(plan, keyrings, isStrict), keyrings }
  return {
    run: (params) => runOperation(context, params),
    planOf: () => context.plan,
    keyrings: () => keyrings,
  }
}

function isPool(keyring: RowsealOptions['keyring']): keyring is Keyrings {
  return 'ownerOf' in keyring
}

function has(value: unknown, names: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => name in value)
}

function isList(keyring: Keyring | readonly Keyring[]): keyring is readonly Keyring[] {
  return Array.isArray(keyring)
}

/** Most of all for JavaScript, and for what was not awaited. */
function assertOptions(options: RowsealOptions): void {
  const { plan, keyring, tenant } = Object(options) as RowsealOptions
  if (!has(plan, ['digest', 'provider', 'models']))
    throw new TypeError('plan must be what `npx prisma generate` wrote: rowseal({ plan, keyring })')
  const list: readonly unknown[] = Array.isArray(keyring) ? keyring : [keyring]
  if (!has(keyring, ['ownerOf']) && !list.every((one) => has(one, ['forProtect'])))
    throw new TypeError('keyring must be what `await openKeyring(…)` or `openKeyrings(…)` gave')
  if (tenant === undefined) return
  if (typeof tenant !== 'function') throw new TypeError('tenant must be a function.')
  if (!isPool(keyring)) throw new TypeError('With tenant, keyring must be what openKeyrings gave.')
}

const NOTHING_REENCRYPTED: ReencryptionStats = {
  queued: 0,
  done: 0,
  superseded: 0,
  dropped: 0,
  failed: 0,
  lastError: null,
}

function refuseOrder(client: object): void {
  if ('$rowseal' in client) {
    throw new SchemaError('ERR_EXTENSION_ORDER', 'Rowseal was applied to this client already.', {
      fix: 'Apply rowseal({ plan, keyring }) once; to add a keyring, pass a list of keyrings.',
    })
  }
  // The methods of @prisma/extension-read-replicas, whose reads pass by every extension applied later.
  if ('$primary' in client && '$replica' in client) {
    throw new SchemaError(
      'ERR_EXTENSION_ORDER',
      'Read replicas were applied to this client before Rowseal: what they read would stay encrypted.',
      { fix: 'Apply rowseal({ plan, keyring }) first and readReplicas({ replicas }) after it.' },
    )
  }
}
