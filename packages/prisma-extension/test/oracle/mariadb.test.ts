import { describeOracle } from './oracle.ts'

describeOracle('mysql')
