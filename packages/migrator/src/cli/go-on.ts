/** Commands that leave off where an error meets them. */
const RUNS: readonly unknown[] = ['encrypt', 'drain', 'reindex', 'decrypt', 'verify', 'worker']

/** Is the same command the way to go on after an error, once its cause is gone? */
export function mayGoOn(error: unknown, args: readonly string[]): boolean {
  if (!RUNS.includes(args[0]) || args.includes('--dry-run')) return false
  // Another copy of the package has classes of its own.
  const { name, retryable } = Object(error) as { name?: unknown; retryable?: unknown }
  return retryable === true || name === 'KeyError'
}

/**
 * The command that goes on with one that was stopped or has failed: the same, but not begun anew.
 *
 * @param args - without the names of Node and of the command.
 */
export function goOnWith(args: readonly string[]): string {
  const kept = args.filter((arg) => arg !== '--restart')
  return `npx rowseal ${kept.map(quoted).join(' ')}`
}

/** As a POSIX shell takes it. */
function quoted(arg: string): string {
  return /^[\w./:,=@%+-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`
}
