import type { ModelPlan } from './compile.ts'
import { Rewriting } from './copy-on-write.ts'
import { rewriteUnique, type FilterWalk } from './filter.ts'
import { isArguments, refusal } from './refuse.ts'
import { isAbsent } from './special.ts'
import { rewriteCompound, rewriteName } from './unique.ts'

/**
 * A `cursor`: unique fields only. Whatever else names an encrypted field in it is refused, because Prisma 7
 * breaks off, and answers nothing more, when a cursor holds a filter.
 */
export function rewriteCursor(walk: FilterWalk, model: ModelPlan, cursor: unknown): unknown {
  if (!isArguments(cursor)) return cursor
  const out = new Rewriting(cursor)
  for (const key of Object.keys(cursor)) {
    const value = cursor[key]
    if (isAbsent(value)) continue
    const field = model.sealed.get(key)
    const compound = model.compounds.get(key)
    const named =
      field !== undefined
        ? rewriteName(walk.views, field, value)
        : compound !== undefined && rewriteCompound(walk.views, model, compound, value)
    if (named === null) throw refusal(field?.label ?? key, 'cursor')
    if (named === false) assertUnchanged(walk, model, key, value)
    else {
      out.remove(key)
      out.set(named.key, named.value)
    }
  }
  return out.result
}

function assertUnchanged(walk: FilterWalk, model: ModelPlan, key: string, value: unknown): void {
  const part = { [key]: value }
  if (rewriteUnique(walk, model, part) !== part) throw refusal(`${model.name}.${key}`, 'cursor')
}
