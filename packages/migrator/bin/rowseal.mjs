#!/usr/bin/env node
import { main } from '../dist/cli/main.js'

// Clients of a configuration that we do not know may hold connections open.
process.exit(await main(process.argv.slice(2)))
