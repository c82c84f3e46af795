// `aws kms COMMAND --option value`: as much of the AWS command line as the guides use, by the AWS SDK.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'

const require = createRequire(pathToFileURL(join(process.cwd(), 'package.json')))
const sdk = require('@aws-sdk/client-kms')
const pascal = (words) => words.replaceAll(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase())

const [service, command, ...rest] = process.argv.slice(2)
if (service !== 'kms') throw new TypeError(`This stand-in knows kms, and not ${service}.`)
const input = {}
for (let i = 0; i < rest.length; i += 2) input[pascal(rest[i].replace(/^--/, ''))] = rest[i + 1]
const { Query: query, Output: output, ...request } = input
const answer = await new sdk.KMSClient({}).send(new sdk[`${pascal(command)}Command`](request))
delete answer.$metadata
if (query !== undefined && output === 'text') {
  console.log(query.split('.').reduce((part, name) => part[name], answer))
} else if (Object.keys(answer).length > 0) console.log(JSON.stringify(answer, null, 4))
