import { parentPort } from 'node:worker_threads'
import { reencryptValues, type ReencryptJob } from './job.ts'

// A thread of `CipherThreads`: does one job after the other. What it throws ends it.

parentPort?.on('message', (job: ReencryptJob) => parentPort?.postMessage(reencryptValues(job)))
