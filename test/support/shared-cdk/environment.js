const { TestEnvironment } = require('jest-environment-node');

// The CDK's own validation of each template takes longer than its synthesis: test/validators has it, for every scenario.
process.env.CDK_VALIDATION = 'false';

const LEAST_TIMEOUT_MS = Number(process.env.LEAST_TEST_TIMEOUT_MS ?? 0);

/** Gives ./transform.js Node's own `require`: what it has loaded stays loaded for all test files of a process. */
module.exports = class extends TestEnvironment {
  constructor(...args) {
    super(...args);
    this.global.requireOnce = require;
  }

  handleTestEvent({ name, test, hook }, state) {
    if (name === 'setup') {
      // The CDK takes a trace of each resource, of which jest maps each frame to its source: a fifth of a synthesis.
      Error.prepareStackTrace = undefined;
      Error.stackTraceLimit = 0;
    }
    // What a file has set for all of its tests is known by then.
    if (name === 'run_start') state.testTimeout = Math.max(state.testTimeout, LEAST_TIMEOUT_MS);
    const own = { test_start: test, hook_start: hook }[name];
    if (own?.timeout) own.timeout = Math.max(own.timeout, LEAST_TIMEOUT_MS);
  }
};
