/** The rollout that is open, in the address: by what the run calls it, so that a link holds while the run grows. */
import type { RolloutBrief } from '../protocol.js';
import type { Place } from './location.js';

export interface RolloutName {
  step: string;
  id: string;
  sample: string;
  group: string;
}

/** Changes of the place that close it. */
export const closed: Place = { openStep: '', openId: '', openSample: '', openGroup: '' };

export const opened = ({ step, id, sample, group }: Pick<RolloutBrief, 'step' | 'id' | 'sample' | 'group'>): Place => ({
  openStep: String(step),
  openId: id,
  openSample: String(sample),
  openGroup: String(group),
});

export function openIn({ openStep: step, openId: id, openSample, openGroup }: Place): RolloutName | null {
  return step === undefined || id === undefined
    ? null
    : { step, id, sample: openSample ?? '0', group: openGroup ?? '' };
}

export const isOpen = (name: RolloutName | null, row: RolloutBrief): boolean =>
  name !== null &&
  Number(name.step) === row.step &&
  name.id === row.id &&
  Number(name.sample) === row.sample &&
  (name.group === '' || Number(name.group) === row.group);
