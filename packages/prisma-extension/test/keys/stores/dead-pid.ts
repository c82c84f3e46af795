import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The id of a process that is no more. */
export async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid!
}
