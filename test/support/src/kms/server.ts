import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { EncryptionContext } from './ciphertext.ts'
import { control } from './control.ts'
import { CRYPTOGRAPHY } from './cryptography.ts'
import { KmsError } from './errors.ts'
import { Faults, type Fault, type Wire } from './faults.ts'
import { MANAGEMENT } from './management.ts'
import type { Operation } from './protocol.ts'
import { ROTATION, rotateKey } from './rotation.ts'
import { ACCOUNT, KmsWorld, type Key } from './world.ts'

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...CRYPTOGRAPHY,
  ...MANAGEMENT,
  ...ROTATION,
}

const PLAIN: Wire = { kind: 'answer' }

/** One request as it arrived. Never holds keys or ciphertext. */
export interface KmsCall {
  readonly operation: string
  readonly keyId: string | null
  readonly context: EncryptionContext | null
  /** Access key id of the caller. */
  readonly caller: string
}

/** A real HTTP server on this machine that speaks the JSON protocol of AWS KMS for one region. */
export class KmsServer {
  readonly region: string
  readonly world: KmsWorld
  /** Every request since the start or `forget`, those that met a fault too. */
  calls: KmsCall[] = []
  readonly #faults = new Faults()
  readonly #denied = new Set<string>()
  readonly #server: Server

  constructor(region: string, world: KmsWorld) {
    this.region = region
    this.world = world
    this.#server = createServer((request, response) => void this.#serve(request, response))
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((done, fail) => {
      this.#server.once('error', fail).listen(port, '127.0.0.1', done)
    })
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How many requests there were, of one operation or of all. */
  count(operation?: string): number {
    return this.calls.filter((call) => (operation ?? call.operation) === call.operation).length
  }

  forget(): void {
    this.calls = []
  }

  fail(fault: Fault): void {
    this.#faults.add(fault)
  }

  /** Refuse an action with AccessDeniedException, such as `Decrypt`, `ReEncryptFrom` or `*`. */
  deny(action: string): void {
    this.#denied.add(action)
  }

  /** No faults, nothing denied. */
  recover(): void {
    this.#faults.clear()
    this.#denied.clear()
  }

  /** A new key of this region: its ARN, and an alias for it if one is named. */
  createKey(options: { alias?: string; multiRegion?: boolean; signing?: boolean } = {}): string {
    const { alias, multiRegion: isMultiRegion = false, signing = false } = options
    const usage = signing ? 'SIGN_VERIFY' : 'ENCRYPT_DECRYPT'
    const key = this.world.create(this.region, { isMultiRegion, usage })
    if (alias !== undefined) this.world.setAlias(this.region, alias, key)
    return key.arn
  }

  /** The key by id, ARN or alias, for a test to change its state. */
  key(keyId: string): Key {
    return this.world.find(this.region, keyId)
  }

  /** What AWS does by itself after `RotationPeriodInDays`. */
  rotate(keyId: string): void {
    rotateKey(this.key(keyId), 'AUTOMATIC')
  }

  async stop(): Promise<void> {
    const closed = new Promise((done) => this.#server.close(done))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = randomUUID()
    response.setHeader('content-type', 'application/x-amz-json-1.1')
    response.setHeader('x-amzn-requestid', id)
    try {
      const controlled = await control(this, request)
      const [answer, wire] = controlled === null ? await this.#answer(request) : [controlled, PLAIN]
      send(response, JSON.stringify(answer), wire)
    } catch (error) {
      const { type, status, message } =
        error instanceof KmsError ? error : new KmsError('KMSInternalException', String(error), 500)
      response.statusCode = status
      response.end(JSON.stringify({ __type: type, message: message === '' ? undefined : message }))
    }
  }

  async #answer(request: IncomingMessage): Promise<[object | null, Wire]> {
    const operation = String(request.headers['x-amz-target']).replace(/^TrentService\./, '')
    const body = JSON.parse(await text(request)) as Record<string, unknown>
    const { caller, region } = credentialOf(request)
    this.calls.push({ operation, caller, ...namedIn(body) })
    const wire = await this.#faults.meet(operation)
    if (wire.kind !== 'answer' && wire.kind !== 'cut') return [null, wire]
    if (region !== this.region)
      throw new KmsError(
        'InvalidSignatureException',
        'Credential should be scoped to a valid region.',
      )
    const run = OPERATIONS[operation]
    if (run === undefined) throw new KmsError('UnknownOperationException', '')
    const permit = (action: string, key: Key): void => this.#permit(action, key, caller)
    return [run({ world: this.world, region: this.region, input: body, permit }), wire]
  }

  #permit(action: string, key: Key, caller: string): void {
    if (!this.#denied.has(action) && !this.#denied.has('*')) return
    const who = `arn:aws:iam::${ACCOUNT}:user/${caller}`
    throw new KmsError(
      'AccessDeniedException',
      `User: ${who} is not authorized to perform: kms:${action} on resource: ${key.arn}`,
    )
  }
}

/** Start a server. Those of one `world` are the regions of one account. */
export async function startKms(
  options: { region?: string; world?: KmsWorld; port?: number } = {},
): Promise<KmsServer> {
  const { region = 'eu-central-1', world = new KmsWorld(), port } = options
  return new KmsServer(region, world).listen(port)
}

function send(response: ServerResponse, answer: string, wire: Wire): void {
  if (wire.kind === 'hang') return
  if (wire.kind === 'drop') {
    response.destroy()
    return
  }
  if (wire.kind === 'garbage') {
    response.statusCode = wire.status ?? 200
    response.end(wire.text ?? '<html>Service Unavailable</html>')
    return
  }
  if (wire.kind === 'answer') {
    response.end(answer)
    return
  }
  response.setHeader('content-length', Buffer.byteLength(answer))
  response.write(answer.slice(0, answer.length / 2), () => response.destroy())
}

function namedIn(body: Record<string, unknown>): Pick<KmsCall, 'keyId' | 'context'> {
  const keyId = body['KeyId'] ?? body['SourceKeyId'] ?? body['TargetKeyId']
  const context = body['EncryptionContext'] ?? body['SourceEncryptionContext']
  return {
    keyId: typeof keyId === 'string' ? keyId : null,
    context: (context as EncryptionContext | undefined) ?? null,
  }
}

/** The signature itself is not checked. */
function credentialOf({ headers }: IncomingMessage): { caller: string; region: string } {
  const [, caller, region] =
    /Credential=([^/]+)\/\d{8}\/([^/]+)\/kms\/aws4_request/.exec(headers.authorization ?? '') ?? []
  if (caller !== undefined && region !== undefined) return { caller, region }
  throw new KmsError('MissingAuthenticationTokenException', 'Missing Authentication Token')
}
