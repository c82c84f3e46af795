/**
 * Why a value does not open, as a code. Another copy of the package has classes of its own, so the code decides.
 *
 * @throws what has none: that is no value's fault.
 */
export function codeOf(error: unknown): string {
  const { code } = Object(error) as { code?: unknown }
  if (typeof code === 'string' && code.startsWith('ERR_')) return code
  throw error
}
