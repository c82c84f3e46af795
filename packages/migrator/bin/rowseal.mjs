#!/usr/bin/env node
import { main } from '../dist/cli/main.js'

let isDone = false

// When nothing is left that could settle what is awaited, Node ends, and without a word.
process.once('exit', (code) => {
  const isAwaiting = !isDone && (code === 0 || code === 13)
  if (!isAwaiting) return
  console.error(
    'The command ended before it was done: it waited for something that nothing in the process would bring about. What was committed stays. Does the configuration await such a thing? If not, run the command again, and tell us.',
  )
  process.exitCode = 1
})

const code = await main(process.argv.slice(2))
isDone = true
// Clients of a configuration that we do not know may hold connections open.
process.exit(code)
