import { InvalidArgumentError } from 'commander'

/** @throws {InvalidArgumentError} */
export function integer(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number.')
}
