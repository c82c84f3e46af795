import type { Checkpoint } from './checkpoint.ts'

/** How far a part is. */
export type Progress =
  | 'open' // not gone over once
  | 'swept' // passes go on until one is clean
  | 'closed' // one was
  | 'left' // none was, and there may be no more of them

/** What a part may end as. */
export type End = Extract<Progress, 'closed' | 'left'>

export interface Ended {
  readonly end: End
  readonly checkpoint: Checkpoint
}

export function isEnd(progress: Progress): progress is End {
  return progress === 'closed' || progress === 'left'
}
