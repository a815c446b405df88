import { PrefectFargateWorkerProps, WorkerType } from '../../src';
import { addWorker, newSecret, newStack, warnings } from '../support/worker';

const warned = (props: (stack: ReturnType<typeof newStack>) => Partial<PrefectFargateWorkerProps>) => {
  const stack = newStack();
  addWorker(stack, props as any);
  return warnings(stack, 'workerAlone');
};

test.each<[string, (stack: ReturnType<typeof newStack>) => Partial<PrefectFargateWorkerProps>, string]>([
  ['a variable', () => ({ environment: { DB_HOST: 'db.example.com' } }), 'environment gives DB_HOST to the worker, which only starts tasks, and not to its flow runs. Where flow runs need it, give flowRunDefaults.environment;'],
  ['a secret', stack => ({ secrets: { DB_PASSWORD: newSecret(stack, 'Db') } }), 'secrets gives DB_PASSWORD to the worker, which only starts tasks, and not to its flow runs. Where flow runs need it, give flowRunDefaults.secrets;'],
  ['disk', () => ({ ephemeralStorageGiB: 100 }), 'ephemeralStorageGiB gives the disk to the worker'],
])('%s of an ECS worker that looks as if flow runs need it is warned of, with the prop that they have', (_, props, text) => {
  expect(warned(props)).toEqual([expect.stringContaining(text)]);
  expect(warned(stack => ({ ...props(stack), workerType: WorkerType.PROCESS }))).toEqual([]);
});

test('settings of Prefect, proxies and time zones are the worker\'s own', () => {
  expect(warned(() => ({ environment: { PREFECT_LOGGING_LEVEL: 'DEBUG', HTTPS_PROXY: 'http://proxy:3128', no_proxy: 'localhost', TZ: 'Europe/Berlin', PYTHONWARNINGS: 'ignore' } }))).toEqual([]);
});
