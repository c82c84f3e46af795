import { delegateOf } from './models.ts'
import type { Operation, Step } from './operations.ts'
import { codeOf } from './special.ts'

/** What was run, as code that can be run by hand. */

export function codeOfOperation({ model, name, args, path }: Operation): string {
  const call = `prisma.${delegateOf(model)}.${name}(${codeOf(args)})`
  return call + path.map(({ relation, args }) => `.${relation}(${codeOf(args)})`).join('')
}

export const codeOfSequence = (steps: readonly Step[]): string => steps.map(codeOfStep).join('\n')

function codeOfStep(step: Step): string {
  if (step.kind === 'single') return `await ${codeOfOperation(step.operation)}`
  const calls = step.operations.map(codeOfOperation)
  if (step.kind === 'batch') {
    return `await prisma.$transaction([\n${calls.map((call) => `  ${call},\n`).join('')}])`
  }
  const body = calls.map((call) => `  await ${call.replace('prisma', 'tx')}\n`)
  const end = step.isRolledBack ? "  throw new Error('rolled back')\n" : ''
  return `await prisma.$transaction(async (tx) => {\n${body.join('')}${end}})`
}
