export { oneOf, randomOf } from '@rowseal/test-support/random'
