// What Vitest's JSON results say: `counts` prints "PASSED FAILED", `summary` the longest files and each failure.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [what, path] = process.argv.slice(2)
const results = JSON.parse(readFileSync(path, 'utf8'))

const LONGEST = 12
const LINES_OF_A_MESSAGE = 25

function summary() {
  const files = results.testResults.map((file) => ({
    name: relative(process.cwd(), file.name),
    seconds: Math.round((file.endTime - file.startTime) / 1000),
    message: file.status === 'failed' ? file.message : '',
    failed: file.assertionResults.filter(({ status }) => status === 'failed'),
  }))
  const longest = files.toSorted((a, b) => b.seconds - a.seconds).slice(0, LONGEST)
  const lines = [
    '── the longest files of npm test',
    ...longest.map((it) => `${it.seconds} s ${it.name}`),
  ]
  const start = (text) => text.split('\n', LINES_OF_A_MESSAGE).join('\n')
  for (const { name, message, failed } of files) {
    for (const it of failed) {
      lines.push(`── FAILED: ${name} > ${it.fullName}`, start(it.failureMessages.join('\n')))
    }
    if (message !== '' && failed.length === 0) lines.push(`── FAILED: ${name}`, start(message))
  }
  return lines.join('\n')
}

console.log(what === 'counts' ? `${results.numPassedTests} ${results.numFailedTests}` : summary())
