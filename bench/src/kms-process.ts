import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const MAIN = new URL('../../test/support/src/kms/main.ts', import.meta.url).pathname

/** A server in a process of its own that speaks the protocol of AWS KMS. */
export interface KmsProcess {
  readonly url: string
  readonly region: string
  readonly alias: string
  /** Every answer takes so long, milliseconds; 0 for at once. */
  answerIn(ms: number): Promise<void>
  /** Requests since `forget`. */
  count(): Promise<number>
  forget(): Promise<void>
  stop(): void
}

export async function startKmsProcess(): Promise<KmsProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
    cwd: new URL('..', import.meta.url),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { url, region, alias } = JSON.parse(line) as Pick<KmsProcess, 'url' | 'region' | 'alias'>
  const say = async (action: string, body?: object): Promise<unknown> => {
    const init = { method: 'POST', body: body === undefined ? '' : JSON.stringify(body) }
    return (await fetch(`${url}/-/${action}`, init)).json()
  }
  return {
    url,
    region,
    alias,
    answerIn: async (ms) => {
      await say('recover')
      if (ms > 0) await say('fail', { kind: 'delay', ms })
    },
    count: async () => ((await say('calls')) as unknown[]).length,
    forget: async () => {
      await say('forget')
    },
    stop: () => {
      child.stdin.end()
    },
  }
}
