/**
 * The same client; tells of each statement that it writes with inside a transaction, before that is sent. What
 * `onWrite` throws is thrown in its place.
 */
export function onEachWrite(
  client: any,
  onWrite: (sql: string, params: readonly any[]) => void,
): any {
  const watched = (tx: any): any =>
    new Proxy(tx, {
      get: (target, name) =>
        name !== '$executeRawUnsafe'
          ? target[name]
          : (sql: string, ...params: unknown[]) => {
              onWrite(sql, params)
              return target.$executeRawUnsafe(sql, ...params)
            },
    })
  return new Proxy(client, {
    get: (target, name) =>
      name !== '$transaction'
        ? target[name]
        : (run: (tx: any) => unknown, options: object) =>
            target.$transaction((tx: any) => run(watched(tx)), options),
  })
}

/** The same client; calls `before` when its nth transaction begins. */
export function beforeTransaction(client: any, nth: number, before: () => Promise<void>): any {
  let count = 0
  return new Proxy(client, {
    get: (target, name) =>
      name !== '$transaction'
        ? target[name]
        : async (...args: unknown[]) => {
            if (++count === nth) await before()
            return target.$transaction(...args)
          },
  })
}
