/** Times the phases of one step. */
import { phases, type Phase } from '../observe/metrics';
import { timed } from '../profile/spans';

export class PhaseClock {
  readonly start = performance.now();
  readonly seconds = Object.fromEntries(phases.map((phase) => [phase, 0])) as Record<Phase, number>;

  constructor(private readonly emit: (event: { type: 'phase'; phase: Phase }) => void) {}

  async time<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    this.emit({ type: 'phase', phase });
    const start = performance.now();
    const result = await timed(phase, work);
    this.seconds[phase] += (performance.now() - start) / 1000;
    return result;
  }

  get total(): number {
    return (performance.now() - this.start) / 1000;
  }
}
