const { TestEnvironment } = require('jest-environment-node');

// The CDK's own validation of each template takes longer than its synthesis: test/validators has it, for every scenario.
process.env.CDK_VALIDATION = 'false';

/** Gives ./transform.js Node's own `require`: what it has loaded stays loaded for all test files of a process. */
module.exports = class extends TestEnvironment {
  constructor(...args) {
    super(...args);
    this.global.requireOnce = require;
  }

  /** The CDK takes a trace of each resource, of which jest maps each frame to its source: a fifth of a synthesis. */
  handleTestEvent({ name }) {
    if (name !== 'setup') return;
    Error.prepareStackTrace = undefined;
    Error.stackTraceLimit = 0;
  }
};
