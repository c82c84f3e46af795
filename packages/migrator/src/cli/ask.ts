import { createInterface } from 'node:readline/promises'
import { say } from './output.ts'

/**
 * Ask a person to type something before something is done that cannot be undone.
 *
 * @throws {TypeError} without a terminal: nobody is there to be asked.
 */
export async function typed(expected: string, question: string): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new TypeError('This asks before it goes on, and there is no terminal. Pass --yes.')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(question)
    if (answer.trim() === expected) return true
    say('That is something else. Nothing was done.')
    return false
  } finally {
    terminal.close()
  }
}
