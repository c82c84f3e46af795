import { KMSClient } from '@aws-sdk/client-kms'
import { KeyError } from '../../errors.ts'
import { kmsError, unreachable, type KmsRequest } from './aws-kms-errors.ts'
import type { CheckedAwsOptions } from './aws-kms-options.ts'

interface SendOptions {
  readonly abortSignal: AbortSignal
}

/** Sends with one of the SDK's clients. */
export type Send<T> = (client: KMSClient, options: SendOptions) => Promise<T>

/** The SDK's clients, one for each region, and what holds for all calls: time-outs, retries, errors. */
export class AwsClients {
  readonly #options: CheckedAwsOptions
  readonly #clients = new Map<string, KMSClient>()
  #region: Promise<string> | null = null

  constructor(options: CheckedAwsOptions) {
    this.#options = options
  }

  /**
   * The region that the SDK finds in the environment or its files. Makes no call.
   *
   * @throws {KeyError} `ERR_ROOT_KEY_INVALID` if there is none.
   */
  region(): Promise<string> {
    this.#region ??= new KMSClient(this.#options.clientConfig).config.region().catch(() => {
      this.#region = null
      throw new KeyError('ERR_ROOT_KEY_INVALID', 'The region of the KMS key is not known.', {
        fix: 'Set AWS_REGION, or give awsKms a region or the ARN of the key.',
      })
    })
    return this.#region
  }

  /**
   * One call in one region, with the SDK's retries.
   *
   * @param late - gets an answer that comes after all, once the call was given up.
   * @throws {KeyError}
   */
  async call<T>(request: KmsRequest, send: Send<T>, late: (answer: T) => void): Promise<T> {
    const controller = new AbortController()
    const client = this.#client(request.region)
    const sent = send(client, { abortSignal: controller.signal })
    let timer: NodeJS.Timeout | undefined
    // The SDK waits between attempts without a look at the signal.
    const gaveUp = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(unreachable(request, `time-out after ${this.#options.timeoutMs} ms`))
        controller.abort()
        sent.then(late, () => undefined)
      }, this.#options.timeoutMs)
    })
    try {
      return await Promise.race([sent, gaveUp])
    } catch (error) {
      throw kmsError(error, request)
    } finally {
      clearTimeout(timer)
    }
  }

  #client(region: string): KMSClient {
    const known = this.#clients.get(region)
    if (known !== undefined) return known
    const { clientConfig, endpoint, maxAttempts, connectTimeoutMs, requestTimeoutMs } =
      this.#options
    const url = typeof endpoint === 'object' ? endpoint[region] : endpoint
    const client = new KMSClient({
      requestHandler: {
        connectionTimeout: connectTimeoutMs,
        requestTimeout: requestTimeoutMs,
        throwOnRequestTimeout: true,
      },
      ...clientConfig,
      region,
      maxAttempts,
      retryMode: 'adaptive',
      ...(url === undefined ? {} : { endpoint: url }),
    })
    this.#clients.set(region, client)
    return client
  }
}
