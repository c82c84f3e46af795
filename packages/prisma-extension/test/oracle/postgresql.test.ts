import { describeOracle } from './oracle.ts'

describeOracle('postgresql')
