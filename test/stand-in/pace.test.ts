import { setTimeout as sleep } from 'node:timers/promises';
import { idleCore, Pace, setPace, turnOfFile } from '../pace';

jest.setTimeout(60_000);

let pace: Pace;
// Of the layer that this runs in.
const { TEST_PACE_PORT: _, ...environment } = process.env;
beforeEach(() => { process.env = { ...environment }; });
afterEach(() => pace.stop());

/** Test files that ask for their turn, and those of them that have begun. */
async function files(count: number, idleMs: () => number) {
  pace = await setPace(idleMs);
  Object.assign(process.env, pace.environment);
  const begun: (() => void)[] = [];
  for (let file = 0; file < count; file++) void turnOfFile().then(over => begun.push(over));
  return begun;
}

test('on a busy machine two test files run at a time, and the next one begins when one is over', async () => {
  const begun = await files(3, () => 0);
  await sleep(7_000);
  expect(begun).toHaveLength(2);
  begun[0]();
  await sleep(3_000);
  expect(begun).toHaveLength(3);
});

test('while cores are idle, further ones begin', async () => {
  const begun = await files(3, Date.now);
  await sleep(12_000);
  expect(begun).toHaveLength(3);
});

test('who is in the middle of a test waits for an idle core, but not for ever', async () => {
  let idle = 0;
  pace = await setPace(() => idle);
  Object.assign(process.env, pace.environment);
  let begun = false;
  const asked = idleCore().then(() => { begun = true; });
  await sleep(4_000);
  expect(begun).toBe(false);
  const cores = setInterval(() => { idle += 500; }, 450);
  await asked;
  clearInterval(cores);

  const start = Date.now();
  await idleCore();
  expect(Date.now() - start).toBeLessThan(30_000);
});

test('where nobody sets the pace, everybody begins at once', async () => {
  pace = await setPace(() => 0);
  await idleCore();
  (await turnOfFile())();
});
