import { versionSuite } from './suite/index.ts'

versionSuite(6)
