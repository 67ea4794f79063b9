/** The figures of a row of metrics.jsonl as flat names and numbers: what TensorBoard and tables show. */
import { isJsonObject } from '../json-object';
import type { Evaluation } from '../training/evaluate';
import type { MetricsRow } from '../training/run-folder';

export interface Scalar {
  /** Slashes group: `seconds/total`, `evaluation/pass@4`. */
  name: string;
  value: number;
}

function evaluationScalars(prefix: string, { interval, passAtK, majorityAtK, ...rest }: Evaluation): Scalar[] {
  const atK = (kind: string, estimates: Evaluation['passAtK'] = []): Scalar[] =>
    estimates.flatMap(({ k, value, interval: [low, high] }) => [
      { name: `${prefix}/${kind}@${k}`, value },
      { name: `${prefix}/${kind}@${k}Low`, value: low },
      { name: `${prefix}/${kind}@${k}High`, value: high },
    ]);
  return [
    ...flatten(prefix, rest),
    ...((interval as [number, number] | null | undefined) ?? []).map((value, i) => ({
      name: `${prefix}/accuracy${i === 0 ? 'Low' : 'High'}`,
      value,
    })),
    ...atK('pass', passAtK),
    ...atK('majority', majorityAtK),
  ];
}

/** Numbers and truth values (0 or 1) of an object and the objects in it; what is null or text is left out. */
function flatten(prefix: string, object: object): Scalar[] {
  return Object.entries(object).flatMap(([key, value]: [string, unknown]): Scalar[] => {
    const name = `${prefix}/${key}`;
    if (typeof value === 'number') return [{ name, value }];
    if (typeof value === 'boolean') return [{ name, value: value ? 1 : 0 }];
    return isJsonObject(value) ? flatten(name, value) : [];
  });
}

/** Figures that stand alone go under `train/`. The step is not among them. */
export function scalarsOf(row: MetricsRow): Scalar[] {
  const { evaluation, ...rest } = row;
  const emaEvaluation = 'emaEvaluation' in rest ? rest.emaEvaluation : undefined;
  return [
    ...Object.entries(rest).flatMap(([key, value]: [string, unknown]): Scalar[] => {
      if (key === 'step' || key === 'emaEvaluation') return [];
      return isJsonObject(value) ? flatten(key, value) : flatten('train', { [key]: value });
    }),
    ...(evaluation ? evaluationScalars('evaluation', evaluation) : []),
    ...(emaEvaluation ? evaluationScalars('emaEvaluation', emaEvaluation) : []),
  ];
}
