import { openSync, closeSync, readSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Needle } from '../seed/sentinels.ts'

export interface Found {
  readonly where: string
  readonly form: string
  readonly offset: number
}

export interface Scan {
  readonly files: number
  readonly bytes: number
  readonly found: readonly Found[]
}

const CHUNK_BYTES = 16 * 1024 * 1024

/** Search the raw bytes of all files below a folder, whatever they are. */
export function scanFolder(folder: string, needles: readonly Needle[]): Scan {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const scans = files.map((entry) => scanFile(join(entry.parentPath, entry.name), needles))
  return {
    files: files.length,
    bytes: scans.reduce((sum, scan) => sum + scan.bytes, 0),
    found: scans.flatMap((scan) => scan.found),
  }
}

export function scanBytes(where: string, bytes: Buffer, needles: readonly Needle[]): Found[] {
  return needles.flatMap(({ form, bytes: needle }) => {
    const offset = bytes.indexOf(needle)
    return offset === -1 ? [] : [{ where, form, offset }]
  })
}

/** Chunks overlap, so that nothing hides at the joint of two. */
function scanFile(path: string, needles: readonly Needle[]): { bytes: number; found: Found[] } {
  const overlap = Math.max(...needles.map((needle) => needle.bytes.length))
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  const file = openSync(path, 'r')
  const found: Found[] = []
  let kept = 0
  let total = 0
  try {
    for (;;) {
      const read = readSync(file, buffer, kept, CHUNK_BYTES - kept, null)
      if (read === 0) return { bytes: total, found }
      const filled = buffer.subarray(0, kept + read)
      for (const hit of scanBytes(path, filled, needles))
        found.push({ ...hit, offset: total - kept + hit.offset })
      total += read
      kept = Math.min(overlap, filled.length)
      filled.copy(buffer, 0, filled.length - kept)
    }
  } finally {
    closeSync(file)
  }
}
