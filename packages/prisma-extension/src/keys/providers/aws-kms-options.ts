import type { KMSClientConfig } from '@aws-sdk/client-kms'
import { number } from '../options.ts'
import {
  isMultiRegion,
  isName,
  isSameKey,
  parseArn,
  parseKeyArn,
  type KmsArn,
} from './aws-kms-arn.ts'

const REGION = /^[a-z0-9-]{1,64}$/
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

export interface AwsKmsOptions {
  /**
   * A symmetric encryption key: its id, ARN, alias (`alias/patients`) or alias ARN. An ARN also says
   * which account stored keys must be of; prefer it.
   */
  readonly keyId: string
  /**
   * Key ARNs of a multi-Region key's replicas in other regions, tried in this order after `keyId` while
   * it is out of reach. A denial is final: what one of them denies, no other is asked. Default: none.
   */
  readonly replicas?: readonly string[]
  /** Key ARNs in other regions or accounts that stored keys may still be under. Default: none. */
  readonly former?: readonly string[]
  /** Region of `keyId`, unless its ARN says so. Default: what the SDK finds, such as AWS_REGION. */
  readonly region?: string
  /**
   * URL of KMS, or one for each region: a VPC endpoint, an emulator. Keys come over it in the clear, so
   * it must be https unless it is on this machine. Default: the SDK's.
   */
  readonly endpoint?: string | Readonly<Record<string, string>>
  /** Let `endpoint` be http on another machine, for an emulator in a container. Default: false. */
  readonly allowHttp?: boolean
  /** Further settings of the SDK's clients, such as `credentials`. A `requestHandler` has its own time-outs. */
  readonly clientConfig?: AwsClientConfig
  /** Until a connection must be there. Milliseconds, 50 to 60,000. Default: 1,000. */
  readonly connectTimeoutMs?: number
  /** Until one attempt must be answered. Milliseconds, 50 to 60,000. Default: 3,000. */
  readonly requestTimeoutMs?: number
  /**
   * Until a call gives up in one region, with all its attempts and waits between. Higher: sits out
   * longer throttling; lower: replicas are asked sooner. Milliseconds, 50 to 300,000. Default: 10,000.
   */
  readonly timeoutMs?: number
  /** Attempts of one call in one region, the first counted, by the SDK's adaptive retries. 1 to 10. Default: 3. */
  readonly maxAttempts?: number
}

export type AwsClientConfig = Omit<
  KMSClientConfig,
  'region' | 'endpoint' | 'logger' | 'maxAttempts' | 'retryMode' | 'retryStrategy'
>

/** The root key as it was given; the region is null if only the SDK knows it. */
export interface FirstKey {
  readonly keyId: string
  readonly region: string | null
}

export interface CheckedAwsOptions {
  readonly first: FirstKey
  readonly replicas: readonly KmsArn[]
  readonly former: readonly KmsArn[]
  readonly endpoint: string | Readonly<Record<string, string>> | undefined
  readonly clientConfig: AwsClientConfig
  readonly connectTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly timeoutMs: number
  readonly maxAttempts: number
}

/** @throws {TypeError} naming the option. */
export function checkAwsOptions(options: AwsKmsOptions): CheckedAwsOptions {
  const first = firstKey(options)
  const replicas = keyArns('replicas', options.replicas)
  assertReplicas(first, replicas)
  assertEndpoint(options)
  const { endpoint, clientConfig = {} } = options
  return {
    first,
    replicas,
    former: keyArns('former', options.former),
    endpoint,
    clientConfig,
    connectTimeoutMs: number('connectTimeoutMs', options.connectTimeoutMs, 1000, 50, 60_000),
    requestTimeoutMs: number('requestTimeoutMs', options.requestTimeoutMs, 3000, 50, 60_000),
    timeoutMs: number('timeoutMs', options.timeoutMs, 10_000, 50, 300_000),
    maxAttempts: number('maxAttempts', options.maxAttempts, 3, 1, 10),
  }
}

function firstKey({ keyId, region }: AwsKmsOptions): FirstKey {
  const given: unknown = keyId
  const arn = typeof given === 'string' ? parseArn(given) : null
  if (arn === null && (typeof given !== 'string' || !isName(given))) {
    throw new TypeError('keyId must be the id, ARN, alias or alias ARN of a KMS key')
  }
  if (region !== undefined && !REGION.test(region))
    throw new TypeError('region must be an AWS region')
  if (arn !== null && region !== undefined && region !== arn.region) {
    throw new TypeError(`region is ${region}, but the ARN given as keyId is in ${arn.region}`)
  }
  return { keyId, region: arn?.region ?? region ?? null }
}

function keyArns(option: string, given: readonly string[] = []): KmsArn[] {
  return given.map((text) => {
    const arn = parseKeyArn(text)
    if (arn === null) throw new TypeError(`${option} must be ARNs of KMS keys, not of aliases`)
    return arn
  })
}

function assertReplicas(first: FirstKey, replicas: readonly KmsArn[]): void {
  const root = parseKeyArn(first.keyId)
  const keys = root === null ? replicas : [root, ...replicas]
  const regions = [first.region, ...replicas.map((arn) => arn.region)]
  if (replicas.length > 0 && first.region === null) {
    throw new TypeError('replicas need a region, or the ARN of the key as keyId')
  }
  const isOneKey = keys.every((arn) => isMultiRegion(arn) && isSameKey(arn, keys[0]!))
  if (replicas.length === 0 || (isOneKey && new Set(regions).size === regions.length)) return
  throw new TypeError('replicas must be ARNs of one multi-Region key, each in another region')
}

function assertEndpoint({ endpoint = {}, allowHttp = false }: AwsKmsOptions): void {
  const urls = typeof endpoint === 'string' ? [endpoint] : Object.values(endpoint)
  for (const text of urls) {
    const url = URL.canParse(text) ? new URL(text) : null
    const isLocal = url !== null && LOOPBACK.test(url.hostname)
    if (url?.protocol === 'https:') continue
    if (url?.protocol === 'http:' && (isLocal || allowHttp)) continue
    throw new TypeError('endpoint must be an https URL, or an http URL of this machine')
  }
}
