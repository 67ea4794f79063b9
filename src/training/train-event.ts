/** What a run tells beside the metrics of its steps. */
import type { Phase } from '../observe/metrics';
import type { TrainConfig } from './config';
import type { Evaluation } from './evaluate';
import type { Preview } from './preview';
import type { Summary } from './run-folder';

/** What happens beside the steps. */
export type TrainEvent =
  | {
      type: 'start';
      folder: string;
      config: TrainConfig;
      step: number;
      parameters: number;
      problems: number;
      heldOut: number;
    }
  | { type: 'phase'; phase: Phase | 'preview' | 'evaluation' | 'checkpoint' }
  /** The first-minute report; not for a run that goes on. */
  | { type: 'preview'; preview: Preview }
  /** `emaEvaluation`: of the moving average, where there is one. */
  | { type: 'evaluation'; step: number; evaluation: Evaluation; emaEvaluation?: Evaluation }
  | { type: 'checkpoint'; step: number; path: string }
  /** Before the start: how many problems have a pass rate, of how many. */
  | { type: 'difficulty'; measured: number; total: number }
  | { type: 'warning'; message: string }
  /** The run waits, or goes on, as asked by a request in its folder. */
  | { type: 'pause'; paused: boolean; step: number }
  | {
      type: 'finish';
      folder: string;
      report: string | null;
      summary: Summary;
      before: Evaluation | null;
      after: Evaluation | null;
    };
