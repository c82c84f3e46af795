import type { Via } from '../keys/types.ts'

/**
 * The only place that reads what Prisma does not promise to keep. Each of these has a test that fails
 * when Prisma changes it. Observed on 6.19 and 7.10.
 */

/** What a query hook is handed beside its documented parameters. */
export interface InternalParams {
  readonly args?: unknown
  readonly dataPath?: readonly string[]
  readonly transaction?: { readonly kind: 'itx' | 'batch' }
}

/** A client, as far as its internals matter here. */
interface ClientInternals {
  readonly _engineConfig?: { readonly inlineSchema?: string }
  readonly _originalClient?: { $extends(extension: object): object }
  readonly _globalOmit?: Readonly<Record<string, Readonly<Record<string, boolean>>>>
  readonly _previewFeatures?: readonly string[]
}

/** The schema text a client was generated from; null if Prisma no longer carries it. */
export function schemaTextOf(client: object): string | null {
  return (client as ClientInternals)._engineConfig?.inlineSchema ?? null
}

/** The `omit` given to `new PrismaClient`. */
export function globalOmitOf(
  client: object,
): Readonly<Record<string, Readonly<Record<string, boolean>>>> {
  return (client as ClientInternals)._globalOmit ?? {}
}

/** Is an explicit `undefined` in arguments an error? */
export function isStrictAboutUndefined(client: object): boolean {
  const { _previewFeatures } = client as ClientInternals
  return _previewFeatures?.includes('strictUndefinedChecks') ?? false
}

/** The interactive transaction an operation runs in, for stores that must read through it. */
export function viaOf(client: object, params: InternalParams | undefined): Via | undefined {
  const transaction = params?.transaction
  return transaction?.kind === 'itx' ? { client, transaction } : undefined
}

/** Does an operation run in a batch, `$transaction([...])`, whose hooks may not query before it? */
export function isInBatch(params: InternalParams | undefined): boolean {
  return params?.transaction?.kind === 'batch'
}

/** The same client without any extension: its hooks have had their say on the operation at hand. */
export function withoutExtensions(client: object): object {
  const { _originalClient } = client as ClientInternals
  return _originalClient === undefined ? client : _originalClient.$extends({})
}

/**
 * Read one record, on the connection of the interactive transaction if there is one: any other could wait
 * for that transaction for ever.
 */
export async function readRecord(
  via: Via | undefined,
  client: object,
  model: string,
  args: Readonly<Record<string, unknown>>,
): Promise<Readonly<Record<string, unknown>> | null> {
  const delegate = (client as Record<string, unknown>)[model] as Delegate
  const query = delegate.findUnique(args)
  return via === undefined ? query : query.requestTransaction(via.transaction)
}

/** Ask the database something, on the connection of the interactive transaction if there is one. */
export async function queryRaw(
  via: Via | undefined,
  client: object,
  sql: string,
  ...params: readonly unknown[]
): Promise<RawRows> {
  const query = (client as RawClient).$queryRawUnsafe(sql, ...params)
  return via === undefined ? query : query.requestTransaction(via.transaction)
}

type RawRows = readonly Readonly<Record<string, unknown>>[]

interface RawClient {
  $queryRawUnsafe(
    sql: string,
    ...params: readonly unknown[]
  ): PromiseLike<RawRows> & {
    requestTransaction(transaction: unknown): PromiseLike<RawRows>
  }
}

interface Delegate {
  findUnique(args: unknown): PromiseLike<Readonly<Record<string, unknown>> | null> & {
    requestTransaction(transaction: unknown): PromiseLike<Readonly<Record<string, unknown>> | null>
  }
}

/**
 * What to hand to `query` beside the arguments: the same operation, with two things changed.
 *
 * A fluent call gives the whole record too: an extension that answers it from another client (read
 * replicas) knows of no path. And `onArgs` is called with what each extension applied later passes on,
 * before anything is sent; what it throws goes to that extension's `query`.
 */
export function handedDown(
  params: InternalParams | undefined,
  onArgs: (args: unknown) => void,
): InternalParams | undefined {
  return params && new HandedDown(params, onArgs)
}

/** Prisma puts the arguments into `args` for each extension in turn, ours first. An accessor costs least in a class. */
class HandedDown implements InternalParams {
  readonly dataPath: readonly string[]
  readonly #onArgs: (args: unknown) => void
  #args: unknown
  #isOurs = true

  constructor(params: InternalParams, onArgs: (args: unknown) => void) {
    this.#onArgs = onArgs
    Object.assign(this, params)
    this.dataPath = WHOLE_RECORD
    this.#isOurs = true
  }

  get args(): unknown {
    return this.#args
  }

  set args(args: unknown) {
    if (!this.#isOurs) this.#onArgs(args)
    this.#isOurs = false
    this.#args = args
  }
}

const WHOLE_RECORD: readonly string[] = []

/**
 * The relations a fluent call (`post.findUnique(…).author().profile()`) goes along: its result is what
 * lies at the end of them. Empty for every other call.
 */
export function fluentPath(params: InternalParams | undefined): readonly string[] {
  const path = params?.dataPath
  if (path === undefined || path.length === 0) return []
  return path.filter((_, index) => index % 2 === 1)
}
