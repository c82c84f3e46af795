import { left, totalOf } from './checkpoint.ts'
import type { PartInfo, RunId } from './parts.ts'
import { isEnd } from './progress.ts'
import type { RunStore } from './store.ts'

/** Bring a run into the state that its parts are in. Whoever ended a part calls it after, so the last one sees all. */
export async function settle(store: RunStore, run: RunId): Promise<void> {
  const parts = await store.parts.list(run)
  if (parts.some(({ progress }) => progress === 'open')) return
  await store.move(run, 'finishing', null, ['running'])
  if (!isOver(parts)) return
  await store.end(run, (now) => {
    // Somebody who looks for something else has opened one again.
    if (!isOver(now)) return null
    const reason = whatIsLeft(now)
    return { state: reason === null ? 'succeeded' : 'failed', reason }
  })
}

function isOver(parts: readonly PartInfo[]): boolean {
  return parts.every(({ progress }) => isEnd(progress))
}

function whatIsLeft(parts: readonly PartInfo[]): string | null {
  const rows = parts.reduce((sum, { checkpoint }) => sum + totalOf(checkpoint).quarantined, 0)
  if (rows > 0) return `${rows} ${rows === 1 ? 'row has' : 'rows have'} a value in quarantine`
  if (parts.some(({ progress }) => progress === 'left'))
    return 'each pass was beaten by others who wrote to the same rows'
  if (new Set(parts.flatMap(targetOf)).size > 1)
    return 'the keys became others after some parts were done'
  return null
}

/** What the last pass over a part looked for; nothing of one without rows. */
function targetOf({ checkpoint }: PartInfo): string[] {
  const target = left(checkpoint)?.target ?? ''
  return target === '' ? [] : [target]
}
