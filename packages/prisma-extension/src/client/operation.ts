import { setImmediate as turn } from 'node:timers/promises'
import { KeyError } from '../errors.ts'
import type { FieldKeyring, Keyring, Opened } from '../keys/index.ts'
import type { Dek, Via } from '../keys/types.ts'
import {
  collectArguments,
  IndexViews,
  OpenSites,
  sealAll,
  type Chunk,
  type Collected,
  type CompiledPlan,
  type Hidden,
  type ModelPlan,
  type SealSite,
  type StaleRecord,
} from '../query/index.ts'
import type { SealSites } from '../query/sites.ts'
import { BoundUpdate } from './bound-update.ts'
import type { AssertFits } from './cut-off.ts'
import { fluentPath, viaOf, type InternalParams } from './internals.ts'
import { guardedQuery, refuseResealing } from './later-extensions.ts'
import { redact } from './redact.ts'
import { send } from './send.ts'
import type { AssertStrict } from './strict-mode.ts'

/** What every operation of one extended client shares. */
export interface Context {
  readonly client: object
  /** The same without any extension. */
  readonly plainClient: object
  readonly plan: CompiledPlan
  readonly keyrings: readonly Keyring[]
  readonly globalOmit: Readonly<Record<string, Readonly<Record<string, boolean>>>>
  /** Hand over stale records, or null where re-encryption on read is off. */
  readonly onStale: ((records: readonly StaleRecord[]) => void) | null
  /** Before something sealed is written. */
  readonly assertStrict: AssertStrict
  /** When it is sealed; null where the database cuts nothing off. */
  readonly assertFits: AssertFits | null
  /** What the operations under way have sealed. */
  readonly underWay: Set<SealSites>
}

/** What Prisma hands to `query.$allModels.$allOperations`. */
export interface HookParams {
  readonly model: string
  readonly operation: string
  readonly args: Record<string, unknown>
  readonly query: (args: Record<string, unknown>, params?: InternalParams) => Promise<unknown>
  readonly __internalParams?: InternalParams
}

/** Run one operation: collect, resolve keys, apply, query; then the same for its result. */
export function runOperation(context: Context, params: HookParams): Promise<unknown> {
  const model = context.plan.get(params.model)
  if (model?.reaches === false) return params.query(params.args)
  return run(context, model, params).catch((error: unknown) => {
    throw redact(error)
  })
}

async function run(
  context: Context,
  model: ModelPlan | undefined,
  params: HookParams,
): Promise<unknown> {
  if (model === undefined) throw new TypeError(`The plan has no model ${params.model}.`)
  const via = viaOf(context.client, params.__internalParams)
  const { collected, sent, result } = await answer(context, model, params, via)
  if (collected.result === 'rows') {
    const end = endOf(model, collected.hidden, params.__internalParams)
    const sites = new OpenSites(sent)
    for (const chunk of sites.walk(end.model, result, end.hidden)) {
      await open(chunk, via)
      if (chunk.isFull) await turn()
    }
    sites.hide()
    // Not beside a transaction that read them: one that sees the database as it was could not write them any more.
    if (sites.stale.length > 0 && via === undefined) context.onStale?.(sites.stale)
  }
  return result
}

/** How often an operation whose keys took too long begins anew; then they are in memory, as a rule. */
const MAX_LATE = 3

interface Answer {
  readonly collected: Collected
  readonly sent: ReadonlyMap<string, SealSite> | null
  readonly result: unknown
}

/** Collect, seal and send; once more where a record was changed between reading and writing it. */
async function answer(
  context: Context,
  model: ModelPlan,
  params: HookParams,
  via: Via | undefined,
): Promise<Answer> {
  const { plainClient, plan, globalOmit, underWay, assertStrict, assertFits } = context
  const { operation, args, __internalParams } = params
  const wantsKeys = via === undefined && mayMeetStale(context)
  const update = new BoundUpdate(plainClient, via, __internalParams)
  for (let late = 0; ;) {
    const views = new IndexViews(via)
    const walked = update.collect((current) => {
      const walk = { plan, views, wantsKeys, globalOmit, current }
      return views.complete(() => collectArguments(walk, model, operation, args))
    })
    const collected = walked instanceof Promise ? await walked : walked
    refuseResealing(underWay, collected.sites)
    const { sites } = collected.sites
    const asked = sites.length > 0 ? assertStrict(via) : undefined
    if (asked !== undefined) await asked
    const secured = protect(collected, via)
    const { sent, leases } = secured instanceof Promise ? await secured : secured
    if (assertFits !== null && sites.length > 0) await assertFits(plan, collected.args, sites, via)
    if (!views.areFresh() || !leases.every((isFresh) => isFresh())) {
      if (++late < MAX_LATE) continue
      throw tooLate(params.model)
    }
    const onRecord = (record: unknown): void => update.assertWritten(collected, record)
    const query = guardedQuery(underWay, model, params, collected.sites, onRecord)
    try {
      const result = await send(context, views, { ...params, query }, collected.args)
      return { collected, sent, result }
    } catch (error) {
      if (!(await update.isOvertaken(error))) throw error
    }
  }
}

/**
 * A value is under the key that was active when the store was last read, an index value stands for a phase of
 * its index: others may have gone on while a key was waited for.
 */
function tooLate(model: string): KeyError {
  return new KeyError(
    'ERR_KEY_UNAVAILABLE',
    `${model}: loading the keys took longer than values may be written under them.`,
    { fix: 'See that the root key answers in good time, and try again.', retryable: true },
  )
}

interface Protected {
  /** The sites by their envelopes, where the result gives rows. */
  readonly sent: ReadonlyMap<string, SealSite> | null
  /** Each says whether what was sealed may still be sent. */
  readonly leases: readonly (() => boolean)[]
}

const NOTHING_SEALED: Protected = { sent: null, leases: [] }

/** Seal what the walk found; at once where that is nothing. */
function protect(collected: Collected, via: Via | undefined): Protected | Promise<Protected> {
  return collected.sites.sites.length === 0 ? NOTHING_SEALED : sealed(collected, via)
}

async function sealed({ sites, result }: Collected, via: Via | undefined): Promise<Protected> {
  const deks = new Map<FieldKeyring, readonly Dek[]>()
  const leases: (() => boolean)[] = []
  for (const [keyring, count] of sites.deks) {
    const given = await keyring.forProtect(count, via)
    deks.set(keyring, given)
    leases.push(keyring.lease(given, via))
  }
  const sent = result === 'rows' ? new Map<string, SealSite>() : null
  sealAll(sites, deks, sent)
  return { sent, leases }
}

async function open(chunk: Chunk, via: Via | undefined): Promise<void> {
  const keys = new Map<FieldKeyring, readonly Opened[]>()
  for (const [keyring, wanted] of chunk.wanted) {
    keys.set(keyring, await keyring.forProcessEach(wanted, via))
  }
  chunk.open(keys)
}

/** A fluent call's result is what lies at the end of its path. */
function endOf(
  model: ModelPlan,
  hidden: Hidden | null,
  params: InternalParams | undefined,
): { model: ModelPlan; hidden: Hidden | null } {
  let end = { model, hidden }
  for (const relation of fluentPath(params)) end = follow(end, relation)
  return end
}

function follow(
  from: { model: ModelPlan; hidden: Hidden | null },
  relation: string,
): { model: ModelPlan; hidden: Hidden | null } {
  const model = from.model.relations.get(relation)
  if (model === undefined) throw new TypeError(`${from.model.name} has no relation ${relation}.`)
  return { model, hidden: from.hidden?.relations.get(relation) ?? null }
}

/** With one key version there is nothing stale, and selections need no key fields added. */
function mayMeetStale({ keyrings, onStale }: Context): boolean {
  return onStale !== null && keyrings.some((keyring) => keyring.staleKeyIds().length > 0)
}
