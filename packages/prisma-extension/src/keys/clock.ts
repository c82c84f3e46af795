/** Two clocks: the wall clock can be set back, the monotonic one stands still while a machine sleeps. */
export interface Clock {
  /** Milliseconds since 1970. */
  wall(): number
  /** Milliseconds since any fixed moment. Never goes back. */
  monotonic(): number
}

export const SYSTEM_CLOCK: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
}

/** A moment on both clocks. */
export interface Moment {
  readonly wall: number
  readonly monotonic: number
}

export function momentOf(clock: Clock): Moment {
  return { wall: clock.wall(), monotonic: clock.monotonic() }
}

/** Milliseconds since a moment, by whichever clock says more. */
export function ageMs(clock: Clock, since: Moment): number {
  return Math.max(clock.wall() - since.wall, clock.monotonic() - since.monotonic)
}
