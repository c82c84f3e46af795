const MAX_TRIES = 10

/** Do a change of the key store, again if somebody else changed something else at the same moment. */
export async function retrying<T>(change: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await change()
    } catch (error) {
      const { code } = Object(error) as { code?: unknown }
      if (code !== 'ERR_KEYRING_CONFLICT' || tries === MAX_TRIES) throw error
    }
  }
}
