import type { SealedType } from '../../plan/plan.ts'
import type { FieldContext, Finding } from './field.ts'
import { judgeColumn } from './native-types.ts'
import { valueCapacity } from './value-capacity.ts'

/** A column into which less than this fits was sized for the plaintext, not for envelopes. */
const LEAST_VALUE_BYTES = 64

/** A column of this size was not sized for any value in particular: nothing to warn of. */
const AMPLE = 65_535

/** Is the column of a String, Json or Bytes field long enough for envelopes, and does it keep them as they are? */
export function checkColumn(context: FieldContext): { findings: Finding[]; warnings: string[] } {
  const { model, field, provider, annotation } = context
  const native = field.nativeType ?? null
  const verdict = judgeColumn(provider, field.type as SealedType, native)
  if (verdict.kind === 'fits') return { findings: [], warnings: [] }
  const fix = native === null ? `Add ${verdict.roomy}.` : `Write ${verdict.roomy}.`
  if (verdict.kind === 'refused') {
    return { findings: [{ what: `${written(native)} ${verdict.reason}.`, fix }], warnings: [] }
  }
  const fits = valueCapacity(verdict.storage, verdict.capacity, annotation.pad)
  if (fits < LEAST_VALUE_BYTES) {
    const limit = fits > 0 ? `only values of up to ${fits} bytes` : 'no value'
    const length = native === null ? `is VARCHAR(${verdict.capacity}) on MySQL, which` : ''
    const what = `${written(native)} ${length} is too short: once encrypted, ${limit} would fit.`
    return { findings: [{ what: what.replace('  ', ' '), fix }], warnings: [] }
  }
  if (verdict.capacity >= AMPLE) return { findings: [], warnings: [] }
  const warning = `${model.name}.${field.name}: ${written(native)} holds values of up to ${fits} bytes once they are encrypted. Longer ones need ${verdict.roomy}.`
  return { findings: [], warnings: [warning] }
}

function written(native: readonly [string, readonly string[]] | null): string {
  if (native === null) return 'A String without @db'
  const [name, args] = native
  return args.length === 0 ? `@db.${name}` : `@db.${name}(${args.join(', ')})`
}
