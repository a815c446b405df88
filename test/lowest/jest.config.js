const config = require('../../jest.config.json');

/** The unit tests with the lowest aws-cdk-lib and constructs that the library supports. */
module.exports = {
  ...config,
  rootDir: '../..',
  moduleNameMapper: {
    ...config.moduleNameMapper,
    '^aws-cdk-lib(.*)$': '<rootDir>/test/lowest/node_modules/aws-cdk-lib$1',
    '^constructs$': '<rootDir>/test/lowest/node_modules/constructs',
  },
};
