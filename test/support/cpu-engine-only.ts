/** `test`, skipped where the engine of devices runs in place of the CPU's: its smallest micro-batches are larger than these. */
export const cpuEngineTest = process.env.ZERO_RL_TEST_DEVICE_ENGINE ? test.skip : test;
