import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { python, ROLE, StandInWorld, TIME_SCALE, until } from './stand-in-world';

jest.setTimeout(60_000);

let world: StandInWorld;

beforeAll(async () => { world = await StandInWorld.start(); }, 120_000);
afterAll(() => world?.standIn.stop());

test('a task gets the secrets, overrides and role that its definition names, and its output reaches the log group', async () => {
  const secret = await world.aws('secretsmanager', 'CreateSecret', { Name: 'api', SecretString: JSON.stringify({ key: 'pnu_123' }) });
  await world.register('secrets', python('import os, urllib.request as r; print(os.environ["KEY"], os.environ["WHO"], b"ASIA" in r.urlopen(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]).read())'), {
    secrets: [{ name: 'KEY', valueFrom: `${secret.ARN}:key::` }],
  });
  const task = await world.run('secrets', { overrides: { containerOverrides: [{ name: 'main', environment: [{ name: 'WHO', value: 'flow' }] }] } });
  const stopped = await until(() => world.find(task), (item) => item.lastStatus === 'STOPPED');
  expect(stopped).toMatchObject({ stopCode: 'EssentialContainerExited', stoppedReason: 'Essential container in task exited' });
  expect(stopped.containers[0].exitCode).toBe(0);
  const log = await world.aws('logs', 'GetLogEvents', { logGroupName: '/test', logStreamName: `t/main/${task.split('/').pop()}` });
  expect(log.events.map((event: any) => event.message)).toEqual(['pnu_123 flow True']);
});

test('a task whose secret does not exist never starts and says why', async () => {
  await world.register('no-secret', python('print(1)'), { secrets: [{ name: 'KEY', valueFrom: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:missing-AbCdEf' }] });
  const task = await world.run('no-secret');
  const stopped = await until(() => world.find(task), (item) => item.lastStatus === 'STOPPED');
  expect(stopped.stopCode).toBe('TaskFailedToStart');
  expect(stopped.stoppedReason).toContain('unable to pull secrets or registry auth');
});

test('a task whose image is not in the repository that its name says never starts and says why', async () => {
  const { repository } = await world.aws('ecr', 'CreateRepository', { repositoryName: 'flows' });
  await world.register('no-image', python('print(1)'), { image: `${repository.repositoryUri}:1.0.0` });
  const task = await world.run('no-image');
  const stopped = await until(() => world.find(task), (item) => item.lastStatus === 'STOPPED');
  expect(stopped.stopCode).toBe('TaskFailedToStart');
  expect(stopped.stoppedReason).toMatch(/^CannotPullContainerError: .*flows:1\.0\.0: not found$/);
});

test('ECR takes parts of layers, layers and images only where they are what they say', async () => {
  const repositoryName = 'strict';
  await world.aws('ecr', 'CreateRepository', { repositoryName, imageTagMutability: 'IMMUTABLE' });
  const refusal = (action: string, parameters: Record<string, any>) => world.aws('ecr', action, { repositoryName, ...parameters }).then(() => 'none', (error) => String(error));
  const upload = async (parts: Buffer[], digest = digestOf(Buffer.concat(parts))) => {
    const { uploadId } = await world.aws('ecr', 'InitiateLayerUpload', { repositoryName });
    let first = 0;
    for (const part of parts) {
      await world.aws('ecr', 'UploadLayerPart', { repositoryName, uploadId, partFirstByte: first, partLastByte: first + part.length - 1, layerPartBlob: part.toString('base64') });
      first += part.length;
    }
    return refusal('CompleteLayerUpload', { uploadId, layerDigests: [digest] });
  };
  const digestOf = (content: Buffer | string) => `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const large = Buffer.alloc(5 * 1024 * 1024, 1);
  const layer = Buffer.from('a layer');
  expect(await upload([layer, layer])).toContain('LayerPartTooSmallException');
  expect(await upload([layer], digestOf('another'))).toContain('InvalidLayerException');
  expect(await upload([])).toContain('EmptyUploadException');
  expect(await upload([large, layer])).toBe('none');
  expect(await upload([large, layer])).toContain('LayerAlreadyExistsException');
  const { uploadId } = await world.aws('ecr', 'InitiateLayerUpload', { repositoryName });
  expect(await refusal('UploadLayerPart', { uploadId, partFirstByte: 0, partLastByte: 9, layerPartBlob: layer.toString('base64') })).toContain('InvalidLayerPartException');

  const manifest = (digest: string, mark = '') => JSON.stringify({ mediaType: 'application/vnd.oci.image.manifest.v1+json', config: { digest }, layers: [], mark });
  const there = digestOf(Buffer.concat([large, layer]));
  const put = (imageManifest: string, rest = {}) => refusal('PutImage', { imageManifest, imageTag: '1', ...rest });
  expect(await put(manifest(digestOf('missing')))).toContain('LayersNotFoundException');
  expect(await put(manifest(there), { imageDigest: digestOf('another') })).toContain('ImageDigestDoesNotMatchException');
  expect(await put(manifest(there))).toBe('none');
  expect(await put(manifest(there))).toContain('ImageAlreadyExistsException');
  expect(await put(manifest(there, 'changed'))).toContain('ImageTagAlreadyExistsException');
});

test('a task that finds no place stays PROVISIONING until it is stopped; later ones find theirs', async () => {
  await world.register('placeless', python('print("placed")'));
  await world.standIn.hinderTasks({ how: 'unplaced' });
  const placeless = await world.run('placeless');
  await until(() => world.find(placeless), (item) => item.lastStatus === 'PROVISIONING');
  await world.standIn.hinderTasks();
  const placed = await world.run('placeless');
  expect((await until(() => world.find(placed), (item) => item.lastStatus === 'STOPPED')).containers[0].exitCode).toBe(0);
  expect((await world.find(placeless)).lastStatus).toBe('PROVISIONING');
  await world.aws('ecs', 'StopTask', { cluster: 'test', task: placeless, reason: 'enough' });
  expect(await until(() => world.find(placeless), (item) => item.lastStatus === 'STOPPED')).toMatchObject({ stopCode: 'UserInitiated', stoppedReason: 'enough' });
});

test('a task whose image can\'t be pulled stops with that reason, and no exit code; later ones start', async () => {
  await world.register('unpulled', python('print("pulled")'));
  await world.standIn.hinderTasks({ how: 'unpulled', reason: 'CannotPullContainerError: toomanyrequests', times: 1 });
  const unpulled = await world.run('unpulled');
  const pulled = await world.run('unpulled');
  const stopped = await until(() => world.find(unpulled), (item) => item.lastStatus === 'STOPPED');
  expect(stopped).toMatchObject({ stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: toomanyrequests', containers: [{ reason: 'CannotPullContainerError: toomanyrequests' }] });
  expect(stopped.containers[0].exitCode).toBeUndefined();
  expect((await until(() => world.find(pulled), (item) => item.lastStatus === 'STOPPED')).containers[0].exitCode).toBe(0);
});

test('a capacity provider without capacity refuses tasks, or lets them fail, and others do not', async () => {
  await world.register('capacity', python('print(1)'));
  const spot = { capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }] };
  const reason = 'Capacity is unavailable at this time.';
  const ask = (options: object) => world.aws('ecs', 'RunTask', { cluster: 'test', taskDefinition: 'capacity', networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'] } }, ...options });
  await world.standIn.hinderTasks({ how: 'refused', reason, capacityProvider: 'FARGATE_SPOT' });
  expect(await ask(spot)).toMatchObject({ tasks: [], failures: [{ reason }] });
  expect((await ask({})).tasks).toHaveLength(1);
  await world.standIn.hinderTasks({ how: 'failed', reason, capacityProvider: 'FARGATE_SPOT' });
  const { tasks: [{ taskArn }] } = await ask(spot);
  await world.standIn.hinderTasks();
  expect(await until(() => world.find(taskArn), (item) => item.lastStatus === 'STOPPED')).toMatchObject({ stopCode: 'TaskFailedToStart', stoppedReason: reason, containers: [] });
});

test('a message that nobody deletes comes back after its visibility timeout, and becomes a dead letter', async () => {
  const dead = await world.aws('sqs', 'CreateQueue', { QueueName: 'dead' });
  const redrive = JSON.stringify({ deadLetterTargetArn: 'arn:aws:sqs:us-east-1:123456789012:dead', maxReceiveCount: '2' });
  const { QueueUrl } = await world.aws('sqs', 'CreateQueue', { QueueName: 'poisoned', Attributes: { RedrivePolicy: redrive } });
  await world.aws('sqs', 'SendMessage', { QueueUrl, MessageBody: 'poison' });
  const receive = async () => (await world.aws('sqs', 'ReceiveMessage', { QueueUrl, VisibilityTimeout: 10 })).Messages ?? [];
  expect(await receive()).toHaveLength(1);
  expect(await receive()).toHaveLength(0);
  expect(await until(receive, (messages: any[]) => messages.length > 0)).toHaveLength(1);
  await until(async () => [await receive(), (await world.aws('sqs', 'ReceiveMessage', { QueueUrl: dead.QueueUrl })).Messages ?? []], ([, given]) => given.length === 1);
});

test('a program that is not there ends with 127', async () => {
  await world.register('missing', ['no-such-program']);
  const task = await world.run('missing');
  const stopped = await until(() => world.find(task), (item) => item.lastStatus === 'STOPPED');
  expect(stopped.containers[0]).toMatchObject({ exitCode: 127, reason: expect.stringContaining('no-such-program') });
});

test('an unhealthy task of a service is replaced, and its events reach a queue by a rule', async () => {
  const { QueueUrl } = await world.aws('sqs', 'CreateQueue', { QueueName: 'events' });
  const pattern = { 'source': ['aws.ecs'], 'detail-type': ['ECS Task State Change'], 'detail': { lastStatus: ['STOPPED'], group: ['service:ill'] } };
  await world.aws('events', 'PutRule', { Name: 'stopped', EventPattern: JSON.stringify(pattern) });
  await world.aws('events', 'PutTargets', { Rule: 'stopped', Targets: [{ Id: 'queue', Arn: 'arn:aws:sqs:us-east-1:123456789012:events' }] });
  await world.register('ill', python('import time; open("well", "w"); time.sleep(600)'), {
    healthCheck: { command: ['CMD-SHELL', 'test -e well'], interval: 5, retries: 2, timeout: 5 },
  });
  await world.service('ill', 1);
  const healthy = (await until(() => world.tasksOf('ill'), (items) => items.some((item) => item.healthStatus === 'HEALTHY')))[0];
  execFileSync('rm', [path.join(world.standIn.directory, 'tasks', healthy.taskArn.split('/').pop()!, 'main', 'well')]);
  const [first, second] = await until(() => world.tasksOf('ill'), ([one, two]) => one.lastStatus === 'STOPPED' && two?.healthStatus === 'HEALTHY');
  expect(first).toMatchObject({ stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'Task failed container health checks' });
  expect(second.lastStatus).toBe('RUNNING');
  const { Messages } = await world.aws('sqs', 'ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 });
  const event = JSON.parse(Messages[0].Body);
  expect(event).toMatchObject({ 'detail-type': 'ECS Task State Change', 'resources': [first.taskArn] });
  expect(event.detail).toMatchObject({ taskArn: first.taskArn, stopCode: 'ServiceSchedulerInitiated', containers: [{ name: 'main', lastStatus: 'STOPPED', exitCode: 143 }] });
});

test('a program may take its time to start within the start period, which compresses to no less than half a minute', async () => {
  await world.register('slow', python('import time; time.sleep(5); open("well", "w"); time.sleep(600)'), {
    healthCheck: { command: ['CMD-SHELL', 'test -e well'], interval: 5, retries: 2, timeout: 5, startPeriod: 30 },
  });
  await world.service('slow', 1);
  await until(() => world.tasksOf('slow'), (items) => items.some((item) => item.healthStatus === 'HEALTHY'));
  expect(await world.tasksOf('slow')).toHaveLength(1);
});

test('a stopped task hears SIGTERM first and SIGKILL after its stopTimeout', async () => {
  const deaf = 'import signal, time; signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True)); print("up", flush=True); time.sleep(600)';
  await world.register('deaf', python(deaf), { stopTimeout: 10 });
  await world.register('kind', python(deaf.replace('print("asked", flush=True)', 'exit(7)')));
  const [kind, stubborn] = [await world.run('kind'), await world.run('deaf')];
  await Promise.all([kind, stubborn].map((task) => until(() => world.logOf(task), (text) => text.includes('up'))));
  const asked = Date.now();
  await Promise.all([kind, stubborn].map((task) => world.aws('ecs', 'StopTask', { cluster: 'test', task, reason: 'enough' })));
  const first = await until(() => world.find(kind), (item) => item.lastStatus === 'STOPPED');
  expect(first.containers[0].exitCode).toBe(7);
  const last = await until(() => world.find(stubborn), (item) => item.lastStatus === 'STOPPED');
  expect(Date.now() - asked).toBeGreaterThanOrEqual(10_000 / TIME_SCALE);
  expect(last).toMatchObject({ stopCode: 'UserInitiated', stoppedReason: 'enough', containers: [{ exitCode: 137 }] });
  expect(await world.logOf(stubborn)).toContain('asked');
});

test('scale-in spares a task that protects itself', async () => {
  const protect = 'import json, os, time, urllib.request as r\n' +
    'print(r.urlopen(r.Request(os.environ["ECS_AGENT_URI"] + "/task-protection/v1/state", json.dumps({"ProtectionEnabled": True}).encode(), {"Content-Type": "application/json"}, method="PUT")).read().decode(), flush=True)\n' +
    'time.sleep(600)';
  await world.register('guarded', python(protect));
  await world.service('guarded', 2);
  const before = await until(() => world.tasksOf('guarded'), (items) => items.length === 2);
  await Promise.all(before.map(({ taskArn }) => until(() => world.logOf(taskArn), (text) => text.includes('ExpirationDate'))));
  await world.aws('ecs', 'UpdateService', { cluster: 'test', service: 'guarded', desiredCount: 0 });
  await new Promise((resolve) => setTimeout(resolve, 700));
  expect((await world.tasksOf('guarded')).map((item) => item.desiredStatus)).toEqual(['RUNNING', 'RUNNING']);
  await world.aws('ecs', 'UpdateTaskProtection', { cluster: 'test', tasks: [before[0].taskArn], protectionEnabled: false });
  await until(() => world.tasksOf('guarded'), (items) => items[0].lastStatus === 'STOPPED');
  expect((await world.tasksOf('guarded'))[1].lastStatus).toBe('RUNNING');

  const single = await world.run('guarded');
  const asked = await world.aws('ecs', 'GetTaskProtection', { cluster: 'test', tasks: [before[1].taskArn, 'none', single] });
  expect(asked.protectedTasks).toMatchObject([{ taskArn: before[1].taskArn, protectionEnabled: true }]);
  expect(asked.failures).toEqual([{ arn: 'none', reason: 'MISSING' }, { arn: single, reason: 'TASK_NOT_VALID' }]);
});

test('a deployment that never gets up is rolled back by the circuit breaker', async () => {
  await world.register('app', ['sleep', '600']);
  await world.service('app', 1, { deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } } });
  await until(() => world.describeService('app'), (item) => item.deployments[0].rolloutState === 'COMPLETED');
  await world.register('app', ['no-such-program']);
  await world.aws('ecs', 'UpdateService', { cluster: 'test', service: 'app', taskDefinition: 'app' });
  const rolledBack = await until(() => world.describeService('app'), (item) => item.taskDefinition.endsWith('app:1') && item.deployments[0].rolloutState === 'COMPLETED');
  expect(rolledBack.runningCount).toBe(1);
  expect((await world.tasksOf('app')).filter((item) => item.stopCode === 'TaskFailedToStart').length).toBeGreaterThanOrEqual(3);
});

test('a failed custom resource fails the stack with its reason; updates and deletion reach the function', async () => {
  const handler = 'const { send } = require("cfn-response"); exports.handler = (event, context) => { const bad = event.ResourceProperties.Bad === "true" && event.RequestType !== "Delete";' +
    'console.log(event.RequestType); send({ ...event }, context, bad ? "FAILED" : "SUCCESS", { Seen: event.RequestType }, "pool"); };';
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
  const template = (bad: boolean, word: string) => JSON.stringify({
    Resources: {
      Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust } },
      Function: { Type: 'AWS::Lambda::Function', Properties: { FunctionName: 'custom', Handler: 'index.handler', Runtime: 'nodejs22.x', Role: { 'Fn::GetAtt': ['Role', 'Arn'] }, Code: { ZipFile: handler } } },
      Custom: { Type: 'Custom::Pool', Properties: { ServiceToken: { 'Fn::GetAtt': ['Function', 'Arn'] }, Bad: bad, Word: word } },
    },
    Outputs: { Seen: { Value: { 'Fn::GetAtt': ['Custom', 'Seen'] } } },
  });
  await world.stack('CreateStack', { StackName: 'bad', TemplateBody: template(true, 'a') });
  await until(() => world.stack('DescribeStacks', { StackName: 'bad' }), (text) => text.includes('ROLLBACK_COMPLETE'));
  expect(await world.stack('DescribeStackEvents', { StackName: 'bad' })).toContain('Received response status [FAILED] from custom resource. Message returned: See the details in CloudWatch Log Stream');
  await world.stack('DeleteStack', { StackName: 'bad' });

  await world.stack('CreateStack', { StackName: 'good', TemplateBody: template(false, 'a').replace('"custom"', '"custom2"') });
  await until(() => world.stack('DescribeStacks', { StackName: 'good' }), (text) => text.includes('CREATE_COMPLETE'));
  await world.stack('UpdateStack', { StackName: 'good', TemplateBody: template(false, 'b').replace('"custom"', '"custom2"') });
  const updated = await until(() => world.stack('DescribeStacks', { StackName: 'good' }), (text) => text.includes('>UPDATE_COMPLETE<'));
  expect(updated).toContain('<OutputValue>Update</OutputValue>');
  // Another function for the same resource.
  await world.stack('UpdateStack', { StackName: 'good', TemplateBody: template(false, 'b').replace('"custom"', '"custom3"') });
  await until(() => world.stack('DescribeStacks', { StackName: 'good' }), (text) => text.includes('>UPDATE_ROLLBACK_COMPLETE<'));
  expect(await world.stack('DescribeStackEvents', { StackName: 'good' })).toContain('Modifying service token is not allowed.');
  await world.stack('DeleteStack', { StackName: 'good' });
  await until(async () => readFileSync(path.join(world.standIn.directory, 'lambda', 'custom2.log'), 'utf8'), (text) => text.includes('Delete'));
});

test('a type that is not known exists in name only, and is told', async () => {
  await world.stack('CreateStack', { StackName: 'odd', TemplateBody: JSON.stringify({ Resources: { Odd: { Type: 'AWS::Config::ConfigRule' } } }) });
  await until(() => world.stack('DescribeStacks', { StackName: 'odd' }), (text) => text.includes('CREATE_COMPLETE'));
  expect(await world.standIn.skippedResourceTypes()).toEqual(['AWS::Config::ConfigRule']);
});

test('requests are recorded with who made them', async () => {
  await world.register('caller', python('import boto3; boto3.client("sts").get_caller_identity()'), {}, { taskRoleArn: ROLE });
  const task = await world.run('caller');
  await until(() => world.find(task), (item) => item.lastStatus === 'STOPPED');
  const call = (await world.standIn.calls()).find((item) => item.service === 'sts');
  expect(call).toMatchObject({ action: 'GetCallerIdentity', status: 200, caller: { kind: 'task', role: ROLE, task } });
  const request = (await world.standIn.calls()).find((item) => item.action === 'RunTask' && item.parameters.taskDefinition === 'caller');
  expect(request).toMatchObject({ service: 'ecs', status: 200, caller: { kind: 'user' } });
});

test('nothing is left running', async () => {
  await world.register('daemon', python('import subprocess, time; print(subprocess.Popen(["sleep", "600"], start_new_session=True).pid, flush=True); time.sleep(600)'));
  const task = await world.run('daemon');
  const child = Number(await until(() => world.logOf(task), (text) => text.includes('\n')));
  expect(existsSync(`/proc/${child}`) || process.platform !== 'linux').toBe(true);
  await world.standIn.stop();
  await expect(fetch(world.standIn.endpoint)).rejects.toThrow();
  const processes = execFileSync('ps', ['axeww', '-o', 'command'], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  expect(processes.split('\n').filter((line) => line.includes(`STAND_IN_OWNER=${world.standIn.directory}`))).toEqual([]);
});
