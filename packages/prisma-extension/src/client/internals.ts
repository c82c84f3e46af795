import type { Via } from '../keys/types.ts'

/**
 * The only place that reads what Prisma does not promise to keep. Each of these has a test that fails
 * when Prisma changes it. Observed on 6.19 and 7.10.
 */

/** What a query hook is handed beside its documented parameters. */
export interface InternalParams {
  readonly dataPath?: readonly string[]
  readonly transaction?: { readonly kind: 'itx' | 'batch' }
}

/** A client, as far as its internals matter here. */
interface ClientInternals {
  readonly _engineConfig?: { readonly inlineSchema?: string }
  readonly _globalOmit?: Readonly<Record<string, Readonly<Record<string, boolean>>>>
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

/** The interactive transaction an operation runs in, for stores that must read through it. */
export function viaOf(client: object, params: InternalParams | undefined): Via | undefined {
  const transaction = params?.transaction
  return transaction?.kind === 'itx' ? { client, transaction } : undefined
}

/**
 * The relations a fluent call (`post.findUnique(…).author().profile()`) goes along: its result is what
 * lies at the end of them. Empty for every other call.
 */
export function fluentPath(params: InternalParams | undefined): readonly string[] {
  const path = params?.dataPath
  if (path === undefined || path.length === 0) return []
  return path.filter((_, index) => index % 2 === 1)
}
