const COMMANDS: Readonly<Record<string, string>> = {
  rewrap: 'drain --rewrap',
  retry: 'runs quarantine retry',
}

/** What stands behind `rowseal` for a direction, as `rowseal_runs` names it. */
export function commandOf(direction: string): string {
  return COMMANDS[direction] ?? direction
}
