import type { MigratorConfig } from '@rowseal/migrator'
import type * as App from '../src/db.ts'
import type { DemoDatabase } from './databases/index.ts'
import type { World } from './run-demo.ts'

/** What the steps work on, once it is prepared. */
export interface Site extends World {
  readonly database: DemoDatabase
  /** The application's own module. */
  readonly app: typeof App
  readonly config: MigratorConfig
}
