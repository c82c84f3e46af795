// arn:PARTITION:kms:REGION:ACCOUNT:key/ID            ID of a multi-Region key: mrk-…
// arn:PARTITION:kms:REGION:ACCOUNT:alias/NAME

const ARN =
  /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):(\d{12}):(key\/[A-Za-z0-9-]{1,128}|alias\/\S{1,250})$/
const NAME = /^([A-Za-z0-9-]{1,128}|alias\/[A-Za-z0-9/_-]{1,250})$/

/** The parts of the ARN of a KMS key or alias. */
export interface KmsArn {
  readonly arn: string
  readonly partition: string
  readonly region: string
  readonly account: string
  /** `key/ID` or `alias/NAME`. */
  readonly resource: string
}

/** The parts of an ARN of KMS; null if it is none. */
export function parseArn(text: string): KmsArn | null {
  const [arn, partition, region, account, resource] = ARN.exec(text) ?? []
  if (arn === undefined) return null
  return { arn, partition: partition!, region: region!, account: account!, resource: resource! }
}

/** The same for a key, not an alias. */
export function parseKeyArn(text: string): KmsArn | null {
  const arn = parseArn(text)
  return arn?.resource.startsWith('key/') === true ? arn : null
}

/** Is this a key id or an alias name, which are looked up in the caller's account and a region? */
export function isName(text: string): boolean {
  return NAME.test(text)
}

export function isMultiRegion({ resource }: KmsArn): boolean {
  return resource.startsWith('key/mrk-')
}

/** Are these one key, or replicas of one? */
export function isSameKey(a: KmsArn, b: KmsArn): boolean {
  return isSameAccount(a, b) && a.resource === b.resource
}

export function isSameAccount(a: KmsArn, b: KmsArn): boolean {
  return a.partition === b.partition && a.account === b.account
}

/** The ARN of the replica in another region. */
export function inRegion({ partition, account, resource }: KmsArn, region: string): string {
  return `arn:${partition}:kms:${region}:${account}:${resource}`
}
