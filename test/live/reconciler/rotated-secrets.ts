import { world } from './world';

describe('a secret of the API', () => {
  const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:prefect-AbCdEf';
  const restarts = () => world.targets().filter(target => target === 'UpdateService').length;
  beforeEach(() => {
    world.secrets = { PREFECT_API_KEY: `${SECRET}:key::` };
    world.aws.values = { [SECRET]: '{"key":"pnu_x"}' };
  });

  test('that is newer than the workers\' deployment has them restarted, once', async () => {
    world.aws.deployed = 1700000000;
    await world.look();
    expect(restarts()).toBe(1);
    await world.look();
    expect(restarts()).toBe(0);
  });

  test('has them restarted where it is an SSM parameter, too', async () => {
    const parameter = 'arn:aws:ssm:us-east-1:123456789012:parameter/prefect/api-key';
    world.secrets = { PREFECT_API_KEY: parameter };
    world.aws.values = { [parameter]: 'pnu_x' };
    world.aws.deployed = 1700000000;
    await world.look();
    expect(restarts()).toBe(1);
  });

  test('that they have already does not', async () => {
    world.aws.deployed = Date.now() / 1000 + 60;
    await world.look();
    expect(restarts()).toBe(0);
  });

  test('reaches them even while Prefect refuses the old one', async () => {
    world.aws.deployed = 1700000000;
    world.instead.push({ path: /^\/api/, status: 401 });
    await expect(world.look()).rejects.toThrow('401');
    expect(restarts()).toBe(1);
  });
});
