export { database, isAvailable, type TestDatabase } from './database.ts'
export { generatedClient, tablesOf, type GeneratedClient } from './client.ts'
export { startPostgres, type Server } from './postgres.ts'
export { freePort, temporaryFolder } from './machine.ts'
