/** Before the suites of the project `device`: policies on the CPU run the operators of devices. */
process.env.ZERO_RL_TEST_DEVICE_ENGINE = '1';
