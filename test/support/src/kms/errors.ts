/** An error as AWS KMS answers it. 400 unless said. */
export class KmsError extends Error {
  readonly type: string
  readonly status: number

  constructor(type: string, message: string, status = 400) {
    super(message)
    this.type = type
    this.status = status
  }
}

export const validation = (message: string): KmsError =>
  new KmsError('ValidationException', `1 validation error detected: ${message}`)
