import { startPostgres } from '@rowseal/test-support'

/** Start PostgreSQL, with what a small server of a company would be given. */
export async function servers(): Promise<() => Promise<void>> {
  if (process.env['ROWSEAL_TEST_POSTGRES_URL'] !== undefined) return () => Promise.resolve()
  const server = await startPostgres(['-c', 'shared_buffers=256MB', '-c', 'max_wal_size=4GB'])
  process.env['ROWSEAL_TEST_POSTGRES_URL'] = server.url
  return () => server.stop()
}
