import type { RunId } from '../runs/parts.ts'
import { newerTask } from './errors.ts'
import type { QueueTask } from './queue.ts'

/** Version of the payloads that this code writes. It works on no later one. */
const TASK_FORMAT = 1

/** A part of a run as it stood when it was offered: whoever takes it makes the epoch another one. */
export interface PartTask extends RunId {
  readonly part: number
  readonly epoch: number
}

/**
 * A part as it goes into a queue. With the epoch in its id, a task of a worker that died stands in nobody's way:
 * the part has another epoch by then.
 */
export function taskOf({ model, kind, run, part, epoch }: PartTask): QueueTask {
  return {
    id: [model, kind, run, part, epoch].join('.'),
    payload: { format: TASK_FORMAT, model, kind, run, part, epoch },
  }
}

/**
 * @returns null for what is no task of ours.
 * @throws {MigrationError} `ERR_CHECKPOINT_NEWER`
 */
export function parseTask(payload: unknown): PartTask | null {
  const { format, model, kind, run, part, epoch } = Object(payload) as Record<string, unknown>
  if (!isCount(format)) return null
  if (format > TASK_FORMAT) throw newerTask(format)
  if (typeof model !== 'string' || (kind !== 'write' && kind !== 'read')) return null
  if (!isCount(run) || !isCount(part) || !isCount(epoch)) return null
  return { model, kind, run, part, epoch }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
