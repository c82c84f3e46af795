import type { FieldPlan, ModelPlan } from './compile.ts'
import { sealField, type FieldWalk } from './field-data.ts'
import type { WrittenRecord } from './sites.ts'
import type { PlainObject } from './special.ts'
import { isLeftOut } from './undefined.ts'

/** The engine fills defaults after the hooks, in the clear: so a sealed field's default is written here. */
export function withDefaults(
  walk: FieldWalk,
  model: ModelPlan,
  record: WrittenRecord,
  data: PlainObject,
  copied: PlainObject,
): PlainObject {
  let out = copied
  for (const field of model.defaults) {
    // A default that stays in the clear is the engine's, but an index over it is not.
    const isPlain = field.spec.seal === 'off' && field.indexes.length === 0
    if (isPlain || !isLeftOut(model, data, field.name)) continue
    if (out === data) out = { ...data }
    sealField(walk, record, field, 'create', out, defaultOf(field))
  }
  return out
}

function defaultOf(field: FieldPlan): unknown {
  const parse = (text: string): unknown => (field.spec.type === 'Json' ? JSON.parse(text) : text)
  const literal = field.spec.default
  return typeof literal === 'string' ? parse(literal) : literal?.map(parse)
}
