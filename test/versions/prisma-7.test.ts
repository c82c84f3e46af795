import { versionSuite } from './suite/index.ts'

versionSuite(7)
