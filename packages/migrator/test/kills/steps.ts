/** A moment of a run. Between two of them one thing is sent to the database. */
export interface Step {
  /** Counted from 1. */
  readonly n: number
  readonly kind: 'before a statement' | 'before BEGIN' | 'before COMMIT' | 'after COMMIT'
  readonly isInTransaction: boolean
}

/**
 * A client that calls `at` before each statement, before each BEGIN and COMMIT, and after each COMMIT. Whatever `at` throws is
 * thrown in place of the statement: within a transaction it is rolled back, as for a process that is gone.
 */
export function atEachStep(client: any, at: (step: Step) => Promise<void> | void): any {
  let n = 0
  const reach = async (kind: Step['kind'], isInTransaction: boolean): Promise<void> =>
    at({ n: ++n, kind, isInTransaction })
  const statements = (target: any, isInTransaction: boolean, others: object): any =>
    new Proxy(target, {
      get: (_, name) => {
        if (name in others) return (others as any)[name]
        if (name !== '$queryRawUnsafe' && name !== '$executeRawUnsafe') return target[name]
        return async (...args: unknown[]) => {
          await reach('before a statement', isInTransaction)
          return target[name](...args)
        }
      },
    })
  return statements(client, false, {
    $transaction: async (work: (tx: any) => Promise<unknown>, options: object) => {
      await reach('before BEGIN', false)
      const result = await client.$transaction(async (tx: any) => {
        const returned = await work(statements(tx, true, {}))
        await reach('before COMMIT', true)
        return returned
      }, options)
      await reach('after COMMIT', false)
      return result
    },
  })
}

/** What a process that is gone would have thrown. */
export const GONE = new Error('The process is gone.')

/** A client of a process that is gone from its n-th step on. */
export function goneAt(client: any, n: number): any {
  return atEachStep(client, (step) => {
    if (step.n >= n) throw GONE
  })
}

/** Of the steps of a run, what a database takes: 1 in so many, from which on. */
export interface Share {
  readonly by: number
  readonly first: number
}

/**
 * Each database takes every third step of a run, and all together take each, the same ones in every run of the
 * tests; with `ROWSEAL_EVERY_STEP=1` each takes all.
 */
export function shareOf(place: number, databases: number): Share {
  if (process.env['ROWSEAL_EVERY_STEP'] === '1') return { by: 1, first: 1 }
  return { by: databases, first: 1 + place }
}
