import { Random } from './engine/random.js';
import { Scheduler, TooManySteps } from './engine/scheduler.js';
import { Trace } from './engine/trace.js';
import { drawFaultPlan } from './faults/fault-plan.js';
import { Faults } from './faults/faults.js';
import { starvedByQuarantine, unrest } from './invariants/rest.js';
import { Violation } from './invariants/violation.js';
import type { Defects } from './mutations/defects.js';
import { sound } from './mutations/mutations.js';
import { Tally } from './report/tally.js';
import { DataCentre } from './world/data-centre.js';
import { Gateway } from './world/gateway.js';
import { Operator } from './world/operator.js';
import { Person } from './world/people.js';
import { drawShape } from './world/shape.js';
import { Weather } from './world/weather.js';

const START_MS = Date.UTC(2026, 0, 5, 8);
const MAX_STEPS = 400_000;
/** Once faults have stopped, all must be at rest within this time. */
const RECOVERY_MS = 8 * 60_000;
/** And must still be so this much later: two rounds of the reconcilers. */
const REST_MS = 11_000;
const LOOK_EVERY_MS = 1_000;
const TRACE_LINES = 60;

export interface SimulateOptions {
  readonly seed: number;
  readonly defects?: Defects;
  /** Given every line of the trace. */
  readonly onLine?: (line: string) => void;
}

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly counts: readonly (readonly [string, number])[];
  readonly failure?: { readonly invariant: string; readonly message: string; readonly trace: readonly string[] };
}

/** One run: all of it follows from the seed. */
export async function simulate({ seed, defects = sound, onLine }: SimulateOptions): Promise<Outcome> {
  const random = new Random(seed);
  const tally = new Tally();
  const trace = new Trace(TRACE_LINES, START_MS, onLine);
  const order = random.named('order');
  const earlyTimer = order.pick([0, 0.001, 0.01, 0.05]);
  const runOn = order.pick([0, 0, 0.5, 0.9]);
  const scheduler = new Scheduler({ random: order, trace, startMs: START_MS, earlyTimer, runOn });
  const plan = drawFaultPlan(random.named('plan'));
  const faults = new Faults(plan, random.named('faults'), tally);
  const shape = drawShape(random.named('shape'));
  const centre = new DataCentre({ scheduler, random, shape, faults, tally, defects });
  const run = new Run(centre, scheduler, faults, tally, random);
  let failure: Outcome['failure'];
  try {
    await run.toEnd();
  } catch (error) {
    failure = { ...describe(error), trace: trace.latest() };
  }
  const counts = [...tally.counts];
  return {
    seed,
    steps: scheduler.steps,
    virtualMs: scheduler.nowMs - START_MS,
    counts,
    ...(failure ? { failure } : {}),
  };
}

function describe(error: unknown): { invariant: string; message: string } {
  if (error instanceof Violation) return { invariant: error.invariant, message: error.message };
  if (error instanceof TooManySteps) return { invariant: 'it ends', message: error.message };
  return { invariant: 'no error', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

/** In words, for counting. */
function within(ms: number): string {
  const limitSeconds = [5, 15, 60, 120, 240, 300, 360].find((seconds) => ms <= seconds * 1_000);
  return limitSeconds === undefined ? 'later than 360 s' : `within ${String(limitSeconds).padStart(3)} s`;
}

class Run {
  private isCalm = false;
  private isDone = false;

  constructor(
    private readonly centre: DataCentre,
    private readonly scheduler: Scheduler,
    private readonly faults: Faults,
    private readonly tally: Tally,
    private readonly random: Random,
  ) {}

  async toEnd(): Promise<void> {
    const { scheduler, centre } = this;
    scheduler.slowness = this.random.named('slowness').pick([0, 0, 0.005, 0.02, 0.08]);
    scheduler.beforeStep = (process) => {
      if (!this.faults.crash()) return true;
      const node = centre.nodes.find((each) => each.process === process);
      if (!node) return true;
      this.tally.count('crash');
      node.crash('at this step');
      return false;
    };
    scheduler.afterStep = () => {
      centre.inspector.inspect();
      if (scheduler.steps % 16 === 0 && centre.fleet.lockWaits > 0)
        this.tally.count('sixteenth step with a wait for a lock');
    };
    this.story().catch((error: unknown) => scheduler.fail(error));
    await scheduler.run(() => this.isDone, MAX_STEPS);
  }

  private async story(): Promise<void> {
    const { centre, scheduler, tally, random } = this;
    const { shape } = centre.options;
    const isOver = () => this.isCalm;
    const gateway = new Gateway(centre, scheduler, tally);
    const operator = new Operator(centre, scheduler, random.named('operator'), tally);
    const people = Array.from({ length: shape.people }, (_, index) => {
      const name = `user-${index + 1}`;
      return new Person(name, centre, gateway, scheduler, random.named(name), tally);
    });
    centre.start();
    new Weather(centre, operator, scheduler, random.named('weather'), this.faults, tally).begin(isOver);
    const lives = people.map((person) => person.live(shape.thinkTimeMs, isOver));
    await scheduler.sleep(null, shape.faultPhaseMs, 'faults stop');
    this.isCalm = true;
    this.faults.stop();
    scheduler.slowness = 0;
    // What is to be done in time needs time to be done in: many timers in a row may not overtake it any more.
    scheduler.earlyTimer = 0;
    centre.queues.faults = { lost: 0, doubled: 0, late: 0 };
    operator.reopen();
    scheduler.note('world', 'FAULTS STOP');
    void Promise.all(lives);
    await this.comeToRest('after the faults');
    if (random.named('leave').chance(0.25)) {
      await Promise.all(people.map((person) => person.leave()));
      await this.comeToRest('after everybody has left');
    }
    tally.count('pool starved by quarantine at the end', starvedByQuarantine(centre.fleet));
    this.isDone = true;
  }

  /** Waits until nothing is amiss for a while. @throws Violation when that takes too long */
  private async comeToRest(when: string): Promise<void> {
    const { scheduler, centre } = this;
    const fromMs = scheduler.nowMs;
    let restSinceMs: number | undefined;
    for (;;) {
      await scheduler.sleep(null, LOOK_EVERY_MS, 'looks for unrest');
      const amiss = unrest(centre.fleet, centre.hosts);
      if (amiss.length > 0) restSinceMs = undefined;
      else restSinceMs ??= scheduler.nowMs;
      if (restSinceMs !== undefined && scheduler.nowMs - restSinceMs >= REST_MS) {
        this.tally.count(`at rest ${when} ${within(restSinceMs - fromMs)}`);
        return;
      }
      if (scheduler.nowMs > fromMs + RECOVERY_MS)
        throw new Violation('at rest in time', `${when}: ${amiss.join('; ')}`);
    }
  }
}
