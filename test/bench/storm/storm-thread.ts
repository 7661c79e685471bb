import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { StormTask } from './storm-app.js';

/** A broker or provisioner on a thread of its own, with its own event loop and connections, as a process has. */
export class StormThread {
  private constructor(private readonly worker: Worker) {}

  static async start(file: string, task: StormTask): Promise<StormThread> {
    const thread = new StormThread(new Worker(new URL(file, import.meta.url), { workerData: task }));
    await thread.answer();
    return thread;
  }

  /** Sends a message and waits for the answer. @throws what the thread died of */
  ask<Answer>(message: unknown): Promise<Answer> {
    const answer = this.answer<Answer>();
    this.worker.postMessage(message);
    return answer;
  }

  async stop(): Promise<void> {
    await this.ask('stop');
    await this.worker.terminate();
  }

  private async answer<Answer>(): Promise<Answer> {
    // `once` rejects with what the thread died of.
    const [answer] = await once(this.worker, 'message');
    return answer as Answer;
  }
}
