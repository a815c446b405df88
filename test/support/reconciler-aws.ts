/** The cluster in which the reconciler looks for tasks. */
export const CLUSTER = 'arn:aws:ecs:us-east-1:123456789012:cluster/live';
export const TASK = 'arn:aws:ecs:us-east-1:123456789012:task/live/';

type Stored = Record<string, any>;

/** The few answers of Amazon ECS, AWS Secrets Manager and AWS Systems Manager that the reconciler asks for. */
export class ReconcilerAws {
  /** Values of secrets by their ARN. */
  public values: Record<string, string> = {};
  /** When the workers were deployed, in seconds. */
  public deployed = Date.now() / 1000;
  private tasks: Stored[] = [];

  /** A task, by the flow run that names it; it was taken away just now where nothing else is said. */
  public task(id: string, overrides: Stored = {}): void {
    const now = Date.now() / 1000;
    const stopped = { lastStatus: 'STOPPED', desiredStatus: 'STOPPED', stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.', stoppedAt: now };
    const alive = ['PROVISIONING', 'PENDING', 'RUNNING', 'DEACTIVATING'].includes(overrides.lastStatus);
    this.tasks = this.tasks.filter(({ taskArn }) => taskArn !== `${TASK}${id}`);
    this.tasks.push({ taskArn: `${TASK}${id}`, createdAt: now, ...(alive ? { desiredStatus: 'RUNNING' } : stopped), tags: [{ key: 'prefect.io/flow-run-id', value: id }], ...overrides });
  }

  public answer(action: string, body: Stored): [number, Stored] {
    switch (action) {
      case 'GetSecretValue':
        return [200, { ARN: body.SecretId, SecretString: this.values[body.SecretId], CreatedDate: Math.floor(Date.now() / 1000) - 10 }];
      case 'GetParameter':
        return [200, { Parameter: { ARN: body.Name, Value: this.values[body.Name], LastModifiedDate: Math.floor(Date.now() / 1000) - 10 } }];
      case 'DescribeServices':
        return [200, { services: [{ deployments: [{ status: 'PRIMARY', createdAt: this.deployed }] }] }];
      case 'UpdateService':
        this.deployed = Date.now() / 1000;
        return [200, { service: {} }];
      case 'ListTasks':
        return [200, this.listTasks(body)];
      case 'StopTask':
        return this.stopTask(body);
      case 'DescribeTasks': {
        if (body.tasks.length > 100) return [400, { __type: 'InvalidParameterException', message: 'Tasks cannot be more than 100' }];
        const tasks = this.tasks.filter(({ taskArn }) => body.tasks.includes(taskArn));
        const failures = body.tasks.filter((arn: string) => !tasks.some(({ taskArn }) => taskArn === arn)).map((arn: string) => ({ arn, reason: 'MISSING' }));
        return [200, { tasks: tasks.map(({ tags, ...task }) => body.include?.includes('TAGS') ? { tags, ...task } : task), failures }];
      }
      default:
        return [400, { __type: 'InvalidAction', message: action }];
    }
  }

  /** A hundred at a time. */
  private listTasks({ desiredStatus, nextToken = '0' }: Stored): Stored {
    const from = Number(nextToken);
    const arns = this.tasks.filter(task => task.desiredStatus === desiredStatus).map(({ taskArn }) => taskArn);
    return { taskArns: arns.slice(from, from + 100), ...(arns.length > from + 100 && { nextToken: `${from + 100}` }) };
  }

  private stopTask({ task: arn, reason }: Stored): [number, Stored] {
    const task = this.tasks.find(({ taskArn }) => taskArn === arn);
    if (!task) return [400, { __type: 'InvalidParameterException', message: 'The referenced task was not found.' }];
    if (task.desiredStatus === 'RUNNING') {
      Object.assign(task, { desiredStatus: 'STOPPED', lastStatus: 'STOPPED', stopCode: 'UserInitiated', stoppedReason: reason ?? 'Task stopped by user', stoppedAt: Date.now() / 1000 });
    }
    return [200, { task }];
  }
}
