import { parseArgs } from 'node:util'
import { startKms } from './server.ts'

// A KMS server as a process of its own, for commands and programs that are told of it by KMS_ENDPOINT:
//
//   tsx test/support/src/kms/main.ts [--port 4599] [--region eu-central-1] [--alias alias/rowseal] [--stay]
//
// It prints a line of JSON (url, region, alias, ARN of the key behind the alias) and ends when standard
// input does, or by a signal alone with --stay. Other programs tell it to fail over HTTP: see control.ts.

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    region: { type: 'string', default: 'eu-central-1' },
    alias: { type: 'string', default: 'alias/rowseal' },
    stay: { type: 'boolean', default: false },
  },
})

const { alias, region } = values
const kms = await startKms({ region, port: Number(values.port) })
console.log(JSON.stringify({ url: kms.url, region, alias, keyArn: kms.createKey({ alias }) }))
if (!values.stay) process.stdin.resume().once('close', () => void kms.stop())
