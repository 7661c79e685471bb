export {
  type JobDefinition,
  type JobName,
  type JobPayload,
  jobDefinitions,
  jobNames,
  queueName,
} from './job-definitions.js';
export { type EnqueueOptions, JobDispatcher, type JobSink } from './job-dispatcher.js';
export { type JobContext, type JobHandler, JobRegistry } from './job-registry.js';
export { JobWorkers } from './job-workers.js';
export { JobsModule } from './jobs.module.js';
