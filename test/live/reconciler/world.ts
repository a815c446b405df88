import { ReconcilerWorld } from '../../support/reconciler-world';

/** The one server that all of reconciler.test.ts shares: it takes longer to start than most tests take. */
export let world: ReconcilerWorld;

export async function startWorld(): Promise<void> {
  world = await ReconcilerWorld.start();
}

export const seconds = (from: string, to = Date.now()) => (new Date(from).getTime() - to) / 1000;
