const config = require('../../jest.config.json');

/** The unit tests with the lowest aws-cdk-lib and constructs that the library supports. */
module.exports = {
  ...config,
  rootDir: '../..',
  // They run when no other process wants the CPU.
  testTimeout: 120_000,
  moduleNameMapper: {
    ...config.moduleNameMapper,
    '^aws-cdk-lib(.*)$': '<rootDir>/test/lowest/node_modules/aws-cdk-lib$1',
    '^constructs$': '<rootDir>/test/lowest/node_modules/constructs',
  },
};
