/** Where problems come from, as a config names it. */

/** One source of problems. */
export interface DataSource {
  /**
   * `arithmetic` or `countdown` (generators), a data file, a folder of data files, `./my.mjs#name`, or a dataset of the
   * Hugging Face hub as `org/name` (`hf:name` where it has no organisation).
   */
  source: string;
  /** What rewards call it. Default `source`. */
  name?: string;
  /** Share of a mixture, relative to the weights of the other sources. Without weights all rows are one pool. */
  weight?: number;
  /** Column of the problem text; a dot leads into a nested column. */
  problemKey?: string;
  /** Column of the gold answer. */
  answerKey?: string;
  /** Column that names the row. Default `id`, else its number. */
  idKey?: string;
  /** `countdown`: the question is made of the columns `numbers` (or `nums`) and `target`. Default `question`. */
  task?: 'question' | 'countdown';
  /** Hub: branch, tag or commit. Default `main`; a run keeps the commit it was at. */
  revision?: string;
  /**
   * Columns of the row that code of one's own sees beside those of problem, answer and id. Default: all where the config names
   * such code, none otherwise.
   */
  columns?: string[];
  /** Hub and folders: which configuration of the dataset, where it has several. */
  subset?: string;
  /** Hub and folders: default `train` for training, `test` for held-out problems. */
  split?: string;
  /** Hub and folders: patterns of the files to take, e.g. `data/train-*.parquet`, instead of subset and split. */
  files?: string[];
}

export const generatorNames = ['arithmetic', 'countdown'] as const;
export type GeneratorName = (typeof generatorNames)[number];

export function isGenerator(source: string): source is GeneratorName {
  return (generatorNames as readonly string[]).includes(source);
}
