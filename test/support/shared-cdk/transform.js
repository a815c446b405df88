/**
 * jest evaluates each module anew for each test file, which for the CDK takes longer than most files' tests. The CDK has no state beyond its apps,
 * so that all files can share one.
 */
module.exports = {
  process: (_source, path) => ({ code: `module.exports = requireOnce(${JSON.stringify(path)});` }),
};
