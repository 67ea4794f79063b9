/** Bounds of options that both the Policy and the configs of runs check. */

/** Temperatures that float32 logits survive; 0, the most likely token, stands beside them. */
export const TEMPERATURE = { least: 0.001, most: 1000 } as const;
/** Most sequences decoded together that a call may ask for. */
export const MAX_BATCH = 65_536;
/** MiB of a policy, and of the activations of a micro-batch. */
export const MAX_MEMORY_BUDGET_MIB = 2 ** 30;
