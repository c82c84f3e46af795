/**
 * Keep a copy of everything this process prints from now on, whoever prints it.
 *
 * @returns what was printed so far.
 */
export function captureOutput(): () => Buffer {
  const printed: Buffer[] = []
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
      printed.push(Buffer.from(chunk as string))
      return write(chunk, ...rest)
    }
  }
  return () => Buffer.concat(printed)
}
