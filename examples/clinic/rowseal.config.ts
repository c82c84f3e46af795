import { defineConfig } from '@rowseal/migrator'
import { client, keyring, plan } from './src/db.ts'

export default defineConfig({ client, plan, keyring })
