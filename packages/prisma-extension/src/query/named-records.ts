import type { Given } from './binding.ts'
import type { ModelPlan } from './compile.ts'
import { replace } from './copy-on-write.ts'
import { rewriteFilter, rewriteUnique, type FilterWalk } from './filter.ts'
import { NESTED_ARGUMENTS } from './matrix.ts'
import { assertArguments } from './refuse.ts'
import { moved } from './refuse-binding.ts'

/** How nested writes name the records they are about: by a unique, or by a filter. */

type Wrapped = keyof typeof NESTED_ARGUMENTS

/** The arguments of a nested write, with their `where` rewritten. @param isUnique - does it name one of several rows? */
export function whereOf(
  walk: FilterWalk,
  model: ModelPlan,
  operation: Wrapped,
  args: unknown,
  isUnique: boolean,
): unknown {
  assertNested(model, operation, args)
  const rewrite = isUnique ? rewriteUnique : rewriteFilter
  return replace(args, 'where', (where) => rewrite(walk, model, where))
}

/** @throws {QueryError} `ERR_QUERY_UNSUPPORTED` for an argument that the nested write does not have. */
export function assertNested({ name }: ModelPlan, operation: Wrapped, args: unknown): void {
  assertArguments(name, args, NESTED_ARGUMENTS[operation])
}

/** Rows of a list are named; of a single relation there is one, which a filter may hold against. */
export function named(walk: FilterWalk, model: ModelPlan, value: unknown, list: boolean): unknown {
  return list ? rewriteUnique(walk, model, value) : rewriteFilter(walk, model, value)
}

/** A nested write that gives records another place, which may be a foreign key of theirs. */
export function naming(operation: 'connect' | 'set' | 'disconnect') {
  return (
    walk: FilterWalk,
    model: ModelPlan,
    value: unknown,
    list: boolean,
    above: Given,
  ): unknown => {
    assertStays(model, above, operation)
    return named(walk, model, value, list || operation !== 'disconnect')
  }
}

/** Records that exist keep the foreign keys to which values are bound. */
export function assertStays(model: ModelPlan, above: Given, operation: string): void {
  for (const column of above.keys()) throw moved(model, column, operation)
}
