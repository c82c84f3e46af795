import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Told {
  readonly pad: string
  readonly keys: readonly [use: string, padded: string][]
}

/** How often each key is in the memory of a process, by what it is for. */
function countKeys(pid: number, { pad, keys }: Told): Record<string, number[]> {
  const mask = Buffer.from(pad, 'hex')
  const plain = keys.map(([use, padded]) => {
    const bytes = Buffer.from(padded, 'hex').map((byte, i) => byte ^ mask[i]!)
    return { use, bytes: Buffer.from(bytes) }
  })
  const counts = plain.map(() => 0)
  for (const memory of writableMemory(pid)) {
    for (const [i, { bytes }] of plain.entries()) {
      for (let at = memory.indexOf(bytes); at !== -1; at = memory.indexOf(bytes, at + 1))
        counts[i]!++
    }
  }
  return Object.fromEntries(
    ['kek', 'dek'].map((use) => [use, counts.filter((_, i) => plain[i]!.use === use)]),
  )
}

function* writableMemory(pid: number): Generator<Buffer> {
  const fd = openSync(`/proc/${pid}/mem`, 'r')
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^(\w+)-(\w+) rw/.exec(line) ?? []
      if (from === undefined || to === undefined) continue
      const length = Number(BigInt(`0x${to}`) - BigInt(`0x${from}`))
      if (length > 2 ** 30) continue // reserved, not used
      const memory = Buffer.alloc(length)
      try {
        readSync(fd, memory, 0, length, BigInt(`0x${from}`))
      } catch {
        continue // what the kernel does not let anybody read
      }
      yield memory
    }
  } finally {
    closeSync(fd)
  }
}

async function told(child: ChildProcess): Promise<Told> {
  return ((await once(child, 'message')) as [Told])[0]
}

test.skipIf(process.platform !== 'linux')(
  'once the root key refused, the KEK and the DEKs are gone from all memory of the process',
  async () => {
    const path = fileURLToPath(new URL('wiped-child.ts', import.meta.url))
    const child = fork(path, { execArgv: ['--expose-gc', '--import', 'tsx'] })
    const before = countKeys(child.pid!, await told(child))
    child.send('on')
    const after = countKeys(child.pid!, await told(child))
    child.send('on')
    await once(child, 'exit')
    expect(child.exitCode).toBe(0)
    expect(before['dek']).toHaveLength(20)
    expect(before['dek']!.every((count) => count > 0)).toBe(true)
    expect(before['kek']!.every((count) => count > 0)).toBe(true)
    // The engine may still hold the last key it worked with; the rest is gone.
    expect(after['kek']).toEqual([0])
    expect(after['dek']!.filter((count) => count > 0).length).toBeLessThanOrEqual(1)
  },
)
