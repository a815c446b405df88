const Sequencer = require('@jest/test-sequencer').default;

/**
 * The files that take minutes begin first, the longest of them before the others, so that no core is idle while the last one of them runs. jest knows how
 * long files take only where they ran before, which is never so on a fresh machine.
 */
const LONGEST = [
  'faults/faults', 'faults/server', 'verify', 'slots', 'ecs-from-zero', 'demand-ahead', 'many-workers', 'self-hosted', 'versions', 'flow-run',
  'server', 'observability', 'upgrade', 'costs', 'headers', 'life-cycle', 'cloud',
];

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const place = ({ path }) => {
      const index = LONGEST.findIndex(name => path.endsWith(`/live/${name}.test.ts`));
      return index < 0 ? LONGEST.length : index;
    };
    return super.sort([...tests]).sort((one, other) => place(one) - place(other));
  }
};
