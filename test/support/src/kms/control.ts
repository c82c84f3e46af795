import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Fault } from './faults.ts'
import type { KmsServer } from './server.ts'

// What a test does by calling methods, another process does over HTTP:
//
//   curl -d '{"kind":"throttle","operation":"Decrypt","times":3}' $KMS_ENDPOINT/-/fail
//   curl -d '{"kind":"drop"}' $KMS_ENDPOINT/-/fail          an outage, until
//   curl -X POST $KMS_ENDPOINT/-/recover
//   curl -d '"Decrypt"' $KMS_ENDPOINT/-/deny
//   curl $KMS_ENDPOINT/-/calls                              curl -X POST $KMS_ENDPOINT/-/forget

const ACTIONS: Readonly<Record<string, (kms: KmsServer, body: unknown) => unknown>> = {
  fail: (kms, fault) => kms.fail(fault as Fault),
  deny: (kms, action) => kms.deny(String(action)),
  recover: (kms) => kms.recover(),
  calls: (kms) => kms.calls,
  forget: (kms) => kms.forget(),
}

/** The answer to a request that is not KMS's own, or null. */
export async function control(kms: KmsServer, request: IncomingMessage): Promise<object | null> {
  const action = /^\/-\/(\w+)$/.exec(request.url ?? '')?.[1]
  if (action === undefined) return null
  const body = await text(request)
  const answer = ACTIONS[action]?.(kms, body === '' ? null : JSON.parse(body))
  return (answer as object | undefined) ?? {}
}
