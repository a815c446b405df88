const FILE = 'prefect_fargate_worker_verification.py';

/** It needs Prefect and nothing of the user's; what it logs is the proof for whoever looks. */
const FLOW = `from prefect import flow, get_run_logger


@flow
def verify():
    get_run_logger().info("This flow run verifies the deployment of its worker.")
`;

const WRITE = `import base64; open('/tmp/${FILE}', 'wb').write(base64.b64decode('${Buffer.from(FLOW).toString('base64')}'))`;

/**
 * What a deployment needs beside its work pool so that its runs bring the flow along: a step that writes the file, in Prefect's own way to fetch code.
 *
 * @see https://docs.prefect.io/v3/deploy/infrastructure-concepts/prefect-yaml#the-pull-action
 */
export const CARRIED_ALONG = {
  entrypoint: `${FILE}:verify`,
  pull_steps: [
    // One line without a shell: Prefect takes it apart as a shell would, and base64 has no character that means something there.
    { 'prefect.deployments.steps.run_shell_script': { script: `python -c "${WRITE}"` } },
    { 'prefect.deployments.steps.set_working_directory': { directory: '/tmp' } },
  ],
};
