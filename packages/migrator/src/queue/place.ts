/**
 * Where a server is, for people: neither user nor password.
 *
 * @param at - a URL, or options with `host` and `port`.
 * @throws {TypeError} if it is no URL. What was given is not shown.
 */
export function placeOf(
  kind: string,
  at: string | { readonly host?: unknown; readonly port?: unknown },
  defaultPort: number,
): string {
  const { host, port } = typeof at === 'string' ? partsOf(kind, at) : at
  const name = typeof host === 'string' && host !== '' ? host : 'localhost'
  const number = typeof port === 'number' || typeof port === 'string' ? String(port) : ''
  return `${kind} at ${name}:${number === '' ? defaultPort : number}`
}

function partsOf(kind: string, url: string): { host: string; port: string } {
  // The error of `new URL` would show it, with the password.
  if (!URL.canParse(url)) throw new TypeError(`The URL of the queue's ${kind} is none.`)
  const { hostname: host, port } = new URL(url)
  return { host, port }
}
