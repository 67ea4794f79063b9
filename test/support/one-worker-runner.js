/**
 * The stock jest runner with a single child process. Suites that load libtorch run one after the other, because each
 * of them uses every core; a crash of the addon ends the child and is reported as a failed suite.
 */
const { default: TestRunner } = require('jest-runner');

module.exports = class OneWorkerRunner extends TestRunner {
  constructor(globalConfig, context) {
    super({ ...globalConfig, maxWorkers: 1 }, context);
  }
};
