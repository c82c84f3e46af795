/** How fast a pass goes. Asked and told around each batch. */
export interface BatchPace {
  /** Rows of the next batch at most. */
  readonly batchRows: number
  /** Wait until the next batch may begin. @returns false if told to stop meanwhile. */
  ready(signal: AbortSignal | undefined): Promise<boolean>
  /** A batch was committed. `ms` is the time from the begin of its transaction to the end. */
  committed(batch: { readonly rows: number; readonly bytes: number; readonly ms: number }): void
  /** The database gave a batch up, so that another transaction could go on. */
  conflicted(): void
}

/** As fast as it goes, in batches of one size. */
export function fullSpeed(batchRows: number): BatchPace {
  return {
    batchRows,
    ready: () => Promise.resolve(true),
    committed: () => undefined,
    conflicted: () => undefined,
  }
}
