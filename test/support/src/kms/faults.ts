import { setTimeout as sleep } from 'node:timers/promises'
import { KmsError } from './errors.ts'

/** What the server does instead of answering, or before it. */
export type FaultKind =
  /** ThrottlingException. */
  | { readonly kind: 'throttle' }
  /** An error of this name and status. Default: KMSInternalException, 500. */
  | {
      readonly kind: 'error'
      readonly type?: string
      readonly status?: number
      readonly message?: string
    }
  /** End the connection without a word. */
  | { readonly kind: 'drop' }
  /** Do what was asked, send half of the answer, and end the connection. */
  | { readonly kind: 'cut' }
  /** An answer that is no JSON: `text`, or what a proxy might say. */
  | { readonly kind: 'garbage'; readonly text?: string; readonly status?: number }
  /** Never answer. */
  | { readonly kind: 'hang' }
  /** Answer later. */
  | { readonly kind: 'delay'; readonly ms: number }

export type Fault = FaultKind & {
  /** Such as `Decrypt`. Default: all of them. */
  readonly operation?: string
  /** How many requests meet it. Default: all, until `recover`. */
  readonly times?: number
}

/** What a fault asks of the connection. */
export type Wire = { readonly kind: 'answer' | 'drop' | 'cut' | 'hang' } | GarbageFault
type GarbageFault = Extract<FaultKind, { kind: 'garbage' }>

/** The faults that are on. The first that fits a request is the one it meets. */
export class Faults {
  #faults: { readonly fault: Fault; left: number }[] = []

  add(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? Infinity })
  }

  clear(): void {
    this.#faults = []
  }

  /** @throws {KmsError} if the fault is one that answers. */
  async meet(operation: string): Promise<Wire> {
    const met = this.#faults.find(
      ({ fault, left }) => left > 0 && (fault.operation ?? operation) === operation,
    )
    if (met === undefined) return { kind: 'answer' }
    met.left--
    const { fault } = met
    if (fault.kind === 'throttle') throw new KmsError('ThrottlingException', 'Rate exceeded')
    if (fault.kind === 'error') {
      const { type = 'KMSInternalException', status = 500, message = 'Internal failure' } = fault
      throw new KmsError(type, message, status)
    }
    if (fault.kind !== 'delay') return fault
    await sleep(fault.ms)
    return { kind: 'answer' }
  }
}
