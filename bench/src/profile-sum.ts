/** What V8's profiler gives. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: {
      readonly functionName: string
      readonly url: string
      readonly lineNumber: number
    }
  }[]
  readonly samples?: readonly number[]
  readonly timeDeltas?: readonly number[]
}

/** Self time by area and by function, in µs of a call. */
export function summed(
  { nodes, samples = [], timeDeltas = [] }: Profile,
  calls: number,
  top: number,
  only = '',
): string {
  const self = new Map<number, number>()
  for (const [i, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + (timeDeltas[i] ?? 0))
  const [areas, functions] = [new Map<string, number>(), new Map<string, number>()]
  for (const { id, callFrame } of nodes) {
    const us = (self.get(id) ?? 0) / calls
    const { functionName, url, lineNumber } = callFrame
    // The profiler's own beginning and end.
    if (functionName === 'dispatch' && url === '') continue
    const area = areaOf(functionName, url)
    const file = url.slice(url.lastIndexOf('/') + 1)
    const name = `${area.padEnd(22)} ${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`
    areas.set(area, (areas.get(area) ?? 0) + us)
    if (name.startsWith(only)) functions.set(name, (functions.get(name) ?? 0) + us)
  }
  const lines = (from: Map<string, number>, count: number): string =>
    [...from]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, us]) => `${us.toFixed(1).padStart(9)} µs  ${name}`)
      .join('\n')
  return `${lines(areas, 100)}\n\n${lines(functions, top)}`
}

function areaOf(name: string, url: string): string {
  if (name === '(idle)' || name === '(program)' || name === '(garbage collector)') return name
  const migrator = /packages\/migrator\/(?:dist|src)\/(\w[\w-]*)/.exec(url)?.[1]
  if (migrator !== undefined) return `migrator ${migrator}`
  const own = /prisma-extension\/(?:dist|src)\/(\w[\w-]*)/.exec(url)?.[1]
  if (own !== undefined) return `rowseal ${own}`
  if (url.startsWith('node:internal/crypto')) return 'node:crypto'
  if (url.startsWith('node:')) return url.includes('buffer') ? 'node:buffer' : 'node, other'
  if (url.includes('lru-cache')) return 'lru-cache'
  if (
    url.includes('prisma-field-encryption') ||
    url.includes('cloak') ||
    url.includes('immer') ||
    url.includes('object-path')
  )
    return 'peer'
  if (url.includes('/pg') || url.includes('adapter')) return 'driver'
  if (url.includes('prisma')) return 'prisma'
  return url === '' ? 'native' : 'other'
}
