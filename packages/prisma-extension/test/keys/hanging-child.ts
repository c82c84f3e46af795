import { GuardedRoot } from '../../src/keys/root/guarded-root.ts'
import { SYSTEM_CLOCK } from '../../src/keys/clock.ts'
import { delegating, newRoot } from './support.ts'

// A process that has nothing to wait for but a root key that never answers.

const root = { ...delegating(newRoot()), create: () => new Promise<never>(() => undefined) }
const limits = { timeoutMs: 300_000, maxOutages: 5, pauseMs: 600_000, concurrency: 16 }
const guarded = GuardedRoot.around(root, limits, SYSTEM_CLOCK)
void guarded.create({ keyring: 'default', keyId: 1, use: 'kek' })
console.log('asked')
