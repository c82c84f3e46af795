// A Redis server of this machine for one guide, which keeps nothing.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** @returns what finds it, and how to end it. */
export async function startRedis() {
  const port = String(await freePort())
  const options = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
  const failed = once(server, 'exit').then(() => Promise.reject(new Error('Redis did not start.')))
  const ready = new Promise((done) =>
    server.stdout.on('data', (text) => /Ready to accept/.test(text) && done()),
  )
  await Promise.race([ready, failed])
  failed.catch(() => undefined)
  return { env: { REDIS_URL: `redis://127.0.0.1:${port}` }, stop: () => server.kill() }
}
