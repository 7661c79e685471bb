import { type BenchReport, type BenchRow, comparedRow, describeMachine, plainRow } from './bench-report.js';
import { median, quantile } from './quantiles.js';
import { measureKeyToFrame } from './relay/measure-key-to-frame.js';
import { measureThroughput, type Throughput } from './relay/measure-throughput.js';
import type { Payload } from './relay/payloads.js';
import type { Subject } from './relay/subject.js';

const ROUNDS = 3;
const KEY_SAMPLES = 150;
const MB = 1e6;
/** guacamole-lite gets less of the tiny ones, or it would take minutes. */
const bytesOf = (subject: Subject, payload: Payload): number =>
  subject === 'guacamole-lite' && payload === 'tiny' ? 20 * MB : 400 * MB;

/** The middle one of some rounds, each figure for itself. */
async function measure(subject: Subject, payload: Payload): Promise<Throughput> {
  const rounds: Throughput[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(await measureThroughput(subject, payload, bytesOf(subject, payload)));
  }
  return {
    megabytesPerSecond: median(rounds.map((round) => round.megabytesPerSecond)),
    cpuSecondsPerGigabyte: median(rounds.map((round) => round.cpuSecondsPerGigabyte)),
    maxRssMiB: median(rounds.map((round) => round.maxRssMiB)),
  };
}

async function throughputRows(payload: Payload, words: string): Promise<BenchRow[]> {
  const pipe = await measure('tcp-pipe', payload);
  const lite = await measure('guacamole-lite', payload);
  const ours = await measure('goldleaf', payload);
  return [
    comparedRow(`${words}: gateway, against a TCP pipe`, ours.megabytesPerSecond, 'MB/s', pipe.megabytesPerSecond),
    comparedRow(`${words}: gateway, against guacamole-lite`, ours.megabytesPerSecond, 'MB/s', lite.megabytesPerSecond),
    comparedRow(`${words}: CPU, against a TCP pipe`, ours.cpuSecondsPerGigabyte, 's/GB', pipe.cpuSecondsPerGigabyte),
    comparedRow(
      `${words}: CPU, against guacamole-lite`,
      ours.cpuSecondsPerGigabyte,
      's/GB',
      lite.cpuSecondsPerGigabyte,
    ),
    comparedRow(`${words}: memory, against guacamole-lite`, ours.maxRssMiB, 'MiB', lite.maxRssMiB),
  ];
}

/** Throughput and processor time of the relay, and what the gateway adds between a key and its picture. */
export async function run(): Promise<BenchReport> {
  const rows = [
    ...(await throughputRows('blobs', 'large blobs')),
    ...(await throughputRows('tiny', 'tiny instructions')),
  ];
  const { directMs, throughGatewayMs } = await measureKeyToFrame(KEY_SAMPLES);
  rows.push(
    comparedRow('key to frame, p50, against guacd directly', median(throughGatewayMs), 'ms', median(directMs)),
    comparedRow(
      'key to frame, p95, against guacd directly',
      quantile(throughGatewayMs, 0.95),
      'ms',
      quantile(directMs, 0.95),
    ),
    plainRow('key to frame added by the gateway, p50', median(throughGatewayMs) - median(directMs), 'ms'),
  );
  return { name: 'relay', machine: describeMachine(), rows };
}
