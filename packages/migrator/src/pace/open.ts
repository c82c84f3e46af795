import type { Context } from '../config.ts'
import type { RunDirectionOptions } from '../engine/events.ts'
import { kmsCallsOf } from './kms-calls.ts'
import { openPace, type Pace, type Wait } from './pace.ts'

/** A run waits because of a cap or a health check, or goes on after. */
export interface ThrottleEvent {
  readonly type: 'throttle'
  /** Null when it goes on. */
  readonly wait: Wait | null
}

/**
 * The pace of a run, by its options.
 *
 * @throws as `openPace`
 */
export function openRunPace(
  { client, plan, keyrings }: Context,
  options: Omit<RunDirectionOptions, 'onEvent'> & {
    readonly onEvent?: (event: ThrottleEvent) => void
  },
  onThrottle?: (wait: Wait | null) => void,
): Promise<Pace> {
  const { onEvent, signal } = options
  const context = {
    client,
    provider: plan.provider,
    kmsCalls: () => kmsCallsOf(keyrings.values()),
    onWait: (wait: Wait | null) => {
      onThrottle?.(wait)
      onEvent?.({ type: 'throttle', wait })
    },
  }
  return openPace(context, options, signal)
}
