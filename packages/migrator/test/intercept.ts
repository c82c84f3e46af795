/**
 * The same client; tells of each statement that it writes with inside a transaction, before that is sent. What
 * `onWrite` throws is thrown in its place.
 */
export function onEachWrite(
  client: any,
  onWrite: (sql: string, params: readonly any[]) => void,
): any {
  return sending(client, (send, sql, params) => {
    onWrite(sql, params)
    return send()
  })
}

/** The same client; waits for `before` ahead of the first statement in a transaction that looks so. */
export function beforeWrite(client: any, statement: RegExp, before: () => Promise<void>): any {
  let isMet = false
  return sending(client, async (send, sql) => {
    const isFirst = !isMet && statement.test(sql)
    isMet ||= isFirst
    if (isFirst) await before()
    return send()
  })
}

function sending(
  client: any,
  by: (send: () => Promise<number>, sql: string, params: readonly any[]) => Promise<number>,
): any {
  const watched = (tx: any): any =>
    new Proxy(tx, {
      get: (target, name) =>
        name !== '$executeRawUnsafe'
          ? target[name]
          : (sql: string, ...params: unknown[]) =>
              by(() => target.$executeRawUnsafe(sql, ...params), sql, params),
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
