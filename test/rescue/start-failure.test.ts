import { startFailure } from '../../src/rescue/start-failure';

const ECR = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';

/** What Amazon ECS says, as it stands in its documentation and in reports of those who met it. */
describe('a task that could not be started', () => {
  test.each([
    ['Docker Hub\'s limit', 'CannotPullContainerError: inspect image has been retried 5 time(s): httpReadSeeker: failed open: unexpected status code https://registry-1.docker.io/v2/prefecthq/prefect/manifests/sha256:2bb501e6429: 429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading: https://www.docker.com/increase-rate-limit'],
    ['its newer sentence', 'CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref docker.io/prefecthq/prefect:3.9.1-python3.12: unexpected status from HEAD request: 429 Too Many Requests: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit'],
    ['a limit of ECR', 'CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests - Server message: toomanyrequests: Rate exceeded'],
    ['a pull without an answer', `CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref ${ECR}/flows:1: failed to do request: Head "https://${ECR}/v2/flows/manifests/1": dial tcp 10.0.3.17:443: i/o timeout`],
    ['a pull that was cut off', 'CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: read tcp 10.0.1.5:41324->52.1.2.3:443: read: connection reset by peer'],
    ['half a layer', 'CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract layer sha256:404aa: unexpected EOF'],
    ['a registry that is down', 'CannotPullContainerError: failed to resolve reference: unexpected status code https://auth.docker.io/token: 503 Service Unavailable'],
    ['DNS', 'CannotPullContainerError: failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host'],
    ['a subnet without addresses', 'Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet \'subnet-0a1b\': InsufficientFreeAddressesInSubnet'],
    ['the same in words', 'The specified subnet does not have enough free addresses to satisfy the request.'],
    ['network interfaces at their limit', 'Unexpected EC2 error while attempting to Create Network Interface: NetworkInterfaceLimitExceeded'],
    ['EC2\'s own throttling', 'Unexpected EC2 error while attempting to Create Network Interface: RequestLimitExceeded: Request limit exceeded.'],
    ['a network interface that took too long', 'Timeout waiting for network interface provisioning to complete.'],
    ['a container instance without an interface', 'RESOURCE:ENI'],
    ['a secret that was not answered for', 'ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 5 time(s): failed to fetch secret arn:aws:secretsmanager:eu-central-1:123456789012:secret:key from secrets manager: RequestCanceled: request context canceled caused by: context deadline exceeded'],
    ['many secrets at a time', 'ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: ThrottlingException: Rate exceeded'],
    ['an ECR that can\'t be reached', 'ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network configuration.'],
    ['a log group that can\'t be reached', 'ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: RequestError: send request failed caused by: Post "https://logs.eu-central-1.amazonaws.com/": dial tcp: i/o timeout'],
  ])('because of %s is started later', (_, reason) => {
    expect(startFailure(reason)).toBe('later');
  });

  /** Each has one word by which it is known, and no other. */
  test.each([
    ['CannotPullContainerError: failed to resolve reference "ghcr.io/acme/flows:1": unexpected status from HEAD request to https://ghcr.io/v2/acme/flows/manifests/1: 429 Too Many Requests'],
    ['CannotPullContainerError: Error response from daemon: error from registry: You have reached your unauthenticated pull rate limit.'],
    ['RuntimeError: Failed to run ECS task: Rate exceeded'],
    ['ResourceInitializationError: unable to pull secrets or registry auth: ThrottlingException: You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.'],
    ['RuntimeError: Failed to run ECS task: RequestLimitExceeded'],
    ['RuntimeError: Failed to run ECS task: InsufficientFreeAddressesInSubnet'],
    ['CannotPullContainerError: failed to do request: Head "https://registry-1.docker.io/v2/": dial tcp 54.1.2.3:443: connect: connection timed out'],
    ['CannotPullContainerError: failed to do request: Head "https://registry-1.docker.io/v2/": context deadline exceeded'],
    ['CannotPullContainerError: Get "https://registry-1.docker.io/v2/": net/http: request canceled while waiting for connection'],
    ['ResourceInitializationError: failed to fetch secret arn:aws:secretsmanager:eu-central-1:123456789012:secret:key from secrets manager: RequestCanceled: request context canceled'],
    ['CannotPullContainerError: failed to extract layer sha256:404aa: write tcp 10.0.1.5:41324->52.1.2.3:443: write: broken pipe'],
    ['CannotPullContainerError: dial tcp: lookup registry-1.docker.io: Temporary failure in name resolution'],
    ['CannotPullContainerError: dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: server misbehaving'],
    ['CannotPullContainerError: dial tcp [2600:1f18::1]:443: connect: network is unreachable'],
    ['Unexpected EC2 error while attempting to Create Network Interface in subnet \'subnet-0a1b\': Unavailable: The server is overloaded.'],
    ['CannotPullContainerError: received unexpected HTTP status: 504 Gateway Time-out'],
    ['CannotPullContainerError: failed to resolve reference "ghcr.io/acme/flows:1": unexpected status from HEAD request: Bad Gateway'],
    ['RuntimeError: Failed to run ECS task: BadGateway'],
    ['ResourceInitializationError: unable to retrieve secrets from ssm: InternalServerError: try again'],
    ['ResourceInitializationError: failed to create Cloudwatch log stream: ServiceUnavailableException'],
    ['CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: stream error: stream ID 1; INTERNAL_ERROR'],
  ])('because of something that passes is started later: %s', reason => {
    expect(startFailure(reason)).toBe('later');
  });

  test.each([
    ['an image that is not there', `CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref ${ECR}/flows:typo: ${ECR}/flows:typo: not found`],
    ['the same of Docker', `CannotPullContainerError: API error (404): repository ${ECR}/flows not found`],
    ['a manifest that is not there', 'CannotPullContainerError: manifest unknown: manifest unknown'],
    ['an image of others', 'CannotPullContainerError: pull access denied for acme/flows, repository does not exist or may require \'docker login\''],
    ['a role that may not pull', 'CannotPullContainerError: failed to resolve reference: pulling from host failed with status code [manifests 1]: 403 Forbidden'],
    ['the same while a layer is copied', 'CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code https://acme.s3.amazonaws.com/: 403 Forbidden'],
    ['an image for other processors', 'CannotPullContainerError: image Manifest does not contain descriptor matching platform \'linux/amd64\''],
    ['an image that is too large', 'CannotPullContainerError: write /var/lib/docker/tmp/GetImageBlob111: no space left on device'],
    ['a secret that may not be read', 'ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: service call has been retried 1 time(s): AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/x is not authorized to perform: secretsmanager:GetSecretValue'],
    ['a secret that is not there', 'ResourceInitializationError: unable to pull secrets or registry auth: ResourceNotFoundException: Secrets Manager can\'t find the specified secret.'],
    ['a log group that is not there', 'ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist.'],
    ['a subnet that is not there', 'Unexpected EC2 error while attempting to Create Network Interface: InvalidSubnetID.NotFound'],
  ])('because of %s is not', (_, reason) => {
    expect(startFailure(reason)).toBe('permanent');
  });

  test('for lack of capacity is known as that', () => {
    expect(startFailure('Capacity is unavailable at this time. Please try again later or in a different availability zone')).toBe('capacity');
  });

  test('for a reason that nobody knows is not started for ever', () => {
    expect(startFailure('CannotStartContainerError: exec: "python": executable file')).toBe('unknown');
  });
});
