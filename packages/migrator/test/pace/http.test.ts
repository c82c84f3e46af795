import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort } from '@rowseal/test-support'
import { httpCheck } from '../../src/pace/checks/http.ts'

const NEVER = new AbortController().signal
const NAME = 'throttle.http (--throttle-http)'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener)
  server = started
  await new Promise<void>((done) => started.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/health?token=hidden`
}

describe('a health check by HTTP', () => {
  it('lets the run go on for 200, and asks with GET', async () => {
    let asked = ''
    const url = await serve(({ method, url: path }, answer) => {
      asked = `${method} ${path}`
      answer.end('fine')
    })
    expect(await httpCheck(url).run(NEVER)).toBeNull()
    expect(asked).toBe('GET /health?token=hidden')
  })

  it.each([201, 204, 302, 404, 429, 500, 503])('pauses for %i', async (status) => {
    let count = 0
    const url = await serve((_, answer) => {
      count++
      answer.writeHead(status, { location: '/' }).end()
    })
    expect(await httpCheck(url).run(NEVER)).toBe(`${NAME} answered ${status}`)
    expect(count).toBe(1)
  })

  it('pauses when nobody answers in time, and lets go', async () => {
    let hasClosed = (): void => undefined
    const closed = new Promise<void>((done) => (hasClosed = done))
    const url = await serve((request) => request.socket.once('close', hasClosed))
    expect(await httpCheck(url).run(NEVER)).toBe(`${NAME} did not answer within 1000 ms`)
    await closed
  })

  it('does not wait for the rest of an answer', async () => {
    const url = await serve((_, answer) => {
      answer.writeHead(200)
      answer.write('x'.repeat(100_000))
    })
    expect(await httpCheck(url).run(NEVER)).toBeNull()
  })

  it('pauses when nobody listens, or the connection breaks', async () => {
    const url = `http://127.0.0.1:${await freePort()}/`
    expect(await httpCheck(url).run(NEVER)).toBe(`${NAME} cannot be reached (ECONNREFUSED)`)
    const broken = await serve((request) => request.socket.destroy())
    expect(await httpCheck(broken).run(NEVER)).toMatch(/cannot be reached/)
  })
})
