import { parentPort, workerData } from 'node:worker_threads';
import { type LogonTask, logOn } from './logon-path.js';

// On a thread of its own, so that the client's work is not counted as the broker's.
parentPort?.postMessage(await logOn(workerData as LogonTask));
