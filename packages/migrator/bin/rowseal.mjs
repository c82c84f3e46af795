#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'
import { main } from '../dist/cli/main.js'

// V8 lets a heap grow to four times what is in use before it cleans up: a run would take 60 MB more.
setFlagsFromString('--heap-growing-percent=25')

// Clients of a configuration that we do not know may hold connections open.
process.exit(await main(process.argv.slice(2)))
