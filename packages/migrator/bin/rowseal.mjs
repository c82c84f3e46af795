#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

// A run makes and drops a cipher for every value, and V8 would let the heap grow to four times what is in use
// before it collects them. This keeps a run below 250 MB, at the same speed: npm run bench -- --only drain
setFlagsFromString('--heap-growing-percent=25')
setFlagsFromString('--semi-space-growth-factor=1')
await import('../dist/cli/main.js')
