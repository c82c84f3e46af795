// Loaded before anything else in every process: the wall clock is as many milliseconds off as the file says that
// HISTORY_CLOCK names, and `extraMs` of the object below. The monotonic clock stays as it is.
import { readFileSync } from 'node:fs'

const clock = { offMs: 0, extraMs: 0 }
globalThis[Symbol.for('rowseal.history.clock')] = clock
const file = process.env.HISTORY_CLOCK
const SystemDate = Date
const now = SystemDate.now.bind(SystemDate)

function look() {
  try {
    clock.offMs = Number(readFileSync(file, 'utf8')) || 0
  } catch {
    clock.offMs = 0
  }
}

if (file !== undefined) {
  look()
  setInterval(look, 100).unref()
}

globalThis.Date = class Date extends SystemDate {
  constructor(...args) {
    if (args.length === 0) super(Date.now())
    else super(...args)
  }

  static now() {
    return now() + clock.offMs + clock.extraMs
  }
}
