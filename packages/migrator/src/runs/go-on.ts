import { commandOf } from './command-of.ts'
import type { PartInfo } from './parts.ts'
import { isEnd } from './progress.ts'
import { QUEUE_LAYOUT, type RunRow } from './run-row.ts'

/** The commands that go on with a run where nobody works on it: one for each shard, in their order. */
export function goOnCommands(
  { model, direction, layout, state }: RunRow,
  parts: readonly PartInfo[],
): string[] {
  if (state === 'succeeded' || state === 'cancelled') return []
  const free = parts.filter(({ progress, isAlive }) => !isEnd(progress) && !isAlive)
  if (free.length === 0) return []
  if (state === 'paused') return [`npx rowseal runs resume ${model}`]
  if (layout === QUEUE_LAYOUT) return ['npx rowseal worker']
  const command = `npx rowseal ${commandOf(direction)} --model ${model}`
  if (layout === 'whole') return [command]
  return free.map(({ part }) => `${command} --shard ${part + 1}/${parts.length}`)
}
