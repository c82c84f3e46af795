import { isDeepStrictEqual } from 'node:util'

/** Do two texts stand for one JSON value? What is no JSON is like nothing else. */
export function isSameJson(a: string, b: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(a), JSON.parse(b))
  } catch {
    return false
  }
}
