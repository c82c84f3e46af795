import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A way to a server, whose connections can be dropped or stand still. */
export class Proxy {
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #isStalled = false

  private constructor(port: number, host: string) {
    this.#server = createServer((near) => this.#join(near, connect(port, host)))
  }

  static async start(port: number, host: string): Promise<Proxy> {
    const proxy = new Proxy(port, host)
    await new Promise<void>((done) => proxy.#server.listen(0, '127.0.0.1', done))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** End a share of the connections without a word. @returns how many. */
  drop(share: number, random: () => number): number {
    const chosen = [...this.#pairs].filter(() => random() < share)
    for (const pair of chosen) for (const socket of pair) socket.destroy()
    return chosen.length
  }

  /** Nothing passes, in either direction, until `flow`. */
  stall(): void {
    this.#isStalled = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  flow(): void {
    this.#isStalled = false
    for (const pair of this.#pairs) for (const socket of pair) socket.resume()
  }

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done))
    this.drop(1, () => 0)
    await closed
  }

  #join(near: Socket, far: Socket): void {
    const pair = [near, far] as const
    this.#pairs.add(pair)
    for (const [one, other] of [pair, [far, near] as const]) {
      one.setNoDelay()
      one.on('data', (data) => void other.write(data))
      one.on('error', () => other.destroy())
      one.on('close', () => {
        other.destroy()
        this.#pairs.delete(pair)
      })
      if (this.#isStalled) one.pause()
    }
  }
}
