import type { TestDatabase } from '@rowseal/test-support'

type Factory = ReturnType<TestDatabase['adapter']>

/** The same adapter; waits for `before` ahead of each statement that looks so. */
export function interrupted(
  factory: Factory,
  statement: RegExp,
  before: () => Promise<unknown>,
): Factory {
  const watched = (connection: any): any =>
    new Proxy(connection, {
      get: (target, name) => {
        const value = target[name]
        if (typeof value !== 'function') return value
        if (name === 'startTransaction')
          return async (...args: unknown[]) => watched(await value.apply(target, args))
        if (name !== 'executeRaw' && name !== 'queryRaw') return value.bind(target)
        return async (query: { sql: string }) => {
          if (statement.test(query.sql)) await before()
          return value.call(target, query)
        }
      },
    })
  return new Proxy(factory, {
    get: (target: any, name) =>
      name === 'connect' ? async () => watched(await target.connect()) : target[name],
  })
}
