/**
 * How a worker runs flow runs. It is the type of the work pool too.
 *
 * @see https://docs.prefect.io/v3/concepts/workers
 */
export enum WorkerType {
  /**
   * Each flow run is a Fargate task of its own, with its own size, image and roles.
   * The worker only starts the tasks and watches them.
   *
   * @see https://docs.prefect.io/integrations/prefect-aws/ecs_guide
   */
  ECS = 'ecs',

  /**
   * Flow runs are processes inside the worker's container: they start within seconds and share
   * its CPU, memory, image and role.
   *
   * While flow runs are in flight, ECS doesn't scale the worker in, and a deployment waits for it up to half an hour
   * (`WORKER_PROTECTION_MINUTES` in `environment`). Before it stops, a worker takes no more flow runs, lets those in flight
   * go on for 100 seconds (`WORKER_DRAIN_SECONDS`, less than 120), and reschedules the rest, which another worker starts again.
   */
  PROCESS = 'process',
}
