import {
  DEFAULT_KEYRING,
  EveryTenant,
  isTenantId,
  NoTenant,
  tenantKeyring,
  type FieldKeyring,
  type Keyring,
  type Keyrings,
} from '../keys/index.ts'
import type { Via } from '../keys/types.ts'
import type { Plan } from '../plan/index.ts'
import { compile, mayReturn, type CompiledPlan, type FieldPlan } from '../query/index.ts'
import { viaOf } from './internals.ts'
import { runOperation, type Context, type HookParams } from './operation.ts'

/**
 * Which keyrings an operation works with, where `rowseal` was given all of them:
 *
 *   a field with `keyring: "name"`   that keyring, whoever the tenant is
 *   any other, the tenant known      the tenant's
 *   any other, no tenant             none: what would seal, open or hash is refused
 *   any other, no `tenant` option    to read, the one that the value's key id belongs to; writes are refused
 */

/** What all operations of a client share, whoever the tenant is. */
export type SharedContext = Omit<Context, 'plan' | 'keyrings'>

export interface TenantsOptions {
  readonly plan: Plan
  readonly keyrings: Keyrings
  /** The id of the current tenant. */
  readonly tenant: (() => string | undefined) | undefined
  /** See `compile`. */
  readonly isStrict: boolean
}

export class TenantContexts {
  readonly #shared: SharedContext
  readonly #options: TenantsOptions
  /** Of no use for keys: says which operations reach a sealed field. */
  readonly #shape: CompiledPlan
  /** Names of the keyrings that fields are under whoever the tenant is. */
  readonly #fixedNames: readonly string[]
  #fixed: readonly Keyring[] | null
  readonly #byKeyring = new WeakMap<Keyring, Context>()
  /** Those without a tenant, by the reason. */
  readonly #others = new Map<string, Context>()
  readonly #every: EveryTenant | null

  constructor(shared: SharedContext, options: TenantsOptions) {
    const { plan, keyrings, tenant, isStrict } = options
    this.#shared = shared
    this.#options = options
    const fields = Object.values(plan.models).flatMap(({ sealed }) => Object.values(sealed))
    const names = new Set(fields.map(({ keyring }) => keyring))
    const nobody = new NoTenant('')
    this.#shape = compile(plan, new Map([...names].map((name) => [name, nobody])), isStrict)
    this.#fixedNames = [...names].filter((name) => name !== DEFAULT_KEYRING)
    this.#fixed = this.#fixedNames.length === 0 ? [] : null
    this.#every = tenant === undefined ? new EveryTenant(keyrings) : null
  }

  /** Run one operation for the current tenant. `tenant` is called once, before anything is awaited. */
  run(params: HookParams): Promise<unknown> {
    const model = this.#shape.get(params.model)
    if (model?.reaches === false) return params.query(params.args)
    const via = viaOf(this.#shared.client, params.__internalParams)
    let context: Context | Promise<Context>
    try {
      context = this.#current(via, (nobody) => {
        if (model === undefined || !mayReturn(model, params.operation, params.args, isTenants))
          return
        throw nobody.error(`${params.model}.${params.operation}`)
      })
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
    if (!(context instanceof Promise)) return runOperation(context, params)
    return context.then((opened) => runOperation(opened, params))
  }

  /** The plan joined with the keyrings of the current tenant. */
  async plan(): Promise<CompiledPlan> {
    return (await this.#current(undefined)).plan
  }

  /**
   * The context of the current tenant. Not a promise if its keyrings are open, so that Prisma's batching of
   * look-ups survives.
   *
   * @param onNobody - called if there is no tenant.
   */
  #current(
    via: Via | undefined,
    onNobody?: (nobody: NoTenant) => void,
  ): Context | Promise<Context> {
    if (this.#every !== null) return this.#without('every', this.#every, via)
    const tenant: unknown = this.#options.tenant?.()
    if (isTenantId(tenant)) return this.#of(tenantKeyring(tenant), via)
    const problem =
      tenant === undefined ? 'There is no current tenant.' : 'The current tenant has no valid id.'
    const nobody = new NoTenant(problem)
    onNobody?.(nobody)
    return this.#without(problem, nobody, via)
  }

  #of(name: string, via: Via | undefined): Context | Promise<Context> {
    const keyring = this.#options.keyrings.peek(name)
    const kept = keyring === null ? undefined : this.#byKeyring.get(keyring)
    return kept ?? this.#open(name, via)
  }

  async #open(name: string, via: Via | undefined): Promise<Context> {
    const keyring = await this.#options.keyrings.get(name, via)
    const fixed = this.#fixed ?? (await this.#openFixed(via))
    let context = this.#byKeyring.get(keyring)
    if (context === undefined) {
      context = this.#join(keyring, [keyring, ...fixed], fixed)
      this.#byKeyring.set(keyring, context)
    }
    return context
  }

  #without(reason: string, stand: FieldKeyring, via: Via | undefined): Context | Promise<Context> {
    const kept = this.#others.get(reason)
    if (kept !== undefined) return kept
    const keep = (fixed: readonly Keyring[]): Context => {
      const context = this.#join(stand, fixed, fixed)
      this.#others.set(reason, context)
      return context
    }
    return this.#fixed === null ? this.#openFixed(via).then(keep) : keep(this.#fixed)
  }

  /** Failures are not kept. */
  async #openFixed(via: Via | undefined): Promise<readonly Keyring[]> {
    const fixed: Keyring[] = []
    for (const name of this.#fixedNames) fixed.push(await this.#options.keyrings.get(name, via))
    return (this.#fixed = fixed)
  }

  #join(tenant: FieldKeyring, keyrings: readonly Keyring[], fixed: readonly Keyring[]): Context {
    const { plan, isStrict } = this.#options
    const byName = new Map<string, FieldKeyring>(fixed.map((keyring) => [keyring.name, keyring]))
    byName.set(DEFAULT_KEYRING, tenant)
    return { ...this.#shared, plan: compile(plan, byName, isStrict), keyrings }
  }
}

/** Is a field under the keyring of the tenant? */
function isTenants({ spec }: FieldPlan): boolean {
  return spec.keyring === DEFAULT_KEYRING
}
