/** Where the keys of randomness of each kind of sample begin: training counts up from 0, and none reaches the next. */
export const firstUid = {
  evaluation: 2 ** 40,
  difficulty: 2 ** 41,
  refill: 2 ** 42,
  preview: 2 ** 43,
} as const;
