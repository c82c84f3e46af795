import { describeOracle } from './oracle.ts'

describeOracle('sqlite')
