/** Entry of a verifier worker. */
import { parentPort, workerData } from 'node:worker_threads';
import { verify } from '../verify';
import { serveChunks } from './serve';

if (parentPort) serveChunks(parentPort, workerData as Int32Array, verify);
