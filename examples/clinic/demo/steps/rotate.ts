import { rotate, status } from '@rowseal/migrator'
import { count } from '../print.ts'
import type { Site } from '../site.ts'

export interface Rotation {
  /** Key ids. */
  readonly before: number
  readonly after: number
  /** Sealed values, which all became stale. */
  readonly values: number
}

/** Make a new key version active. No row is touched. */
export async function rotateKey({ config, print }: Site): Promise<Rotation> {
  print.heading(4, 'Rotate')
  const { from, to } = await rotate(config, { now: true })
  const { stale } = await status(config)
  print.line(
    `   rowseal rotate: key ${to.keyId} is active, key ${from.keyId} only opens from now on`,
  )
  print.line(`   rowseal status: ${count(stale)} values are stale, and readable as ever`)
  return { before: from.keyId, after: to.keyId, values: stale }
}
