import { aws_ecs as ecs, aws_iam as iam, Duration, Tokenization } from 'aws-cdk-lib';
import { Tracing } from '../tracing';

const CONTAINER = 'collector';

/** The collector's version that its configuration below was written for. */
export const COLLECTOR_IMAGE = 'public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0';

/** Containers of a task share one loopback, so nothing outside the task reaches these. */
const OTLP = '127.0.0.1:4318';
const HEALTH = '127.0.0.1:13133';

/** YAML takes JSON. The region is the task's; the collector reads it from the environment. */
const CONFIGURATION = JSON.stringify({
  extensions: { health_check: { endpoint: HEALTH } },
  receivers: { otlp: { protocols: { http: { endpoint: OTLP } } } },
  processors: { batch: { timeout: '1s' } },
  // What X-Ray finds traces by.
  exporters: { awsxray: { indexed_attributes: ['prefect.run.id', 'prefect.run.name', 'prefect.deployment.id'] } },
  service: {
    extensions: ['health_check'],
    telemetry: { metrics: { level: 'none' } },
    pipelines: { traces: { receivers: ['otlp'], processors: ['batch'], exporters: ['awsxray'] } },
  },
});

const ENVIRONMENT = { AOT_CONFIG_CONTENT: CONFIGURATION, GOMEMLIMIT: '200MiB' };
const MEMORY_MIB = 256;
/** The user of the image. */
const USER = '4317:4317';
/** The image has no shell; this program asks the extension health_check. */
const HEALTH_CHECK = ['CMD', '/healthcheck'];

/**
 * What tells a program that is instrumented with OpenTelemetry where its collector is.
 *
 * The endpoint is that of traces only: Prefect sends metrics, too, to an endpoint for everything.
 *
 * @see https://opentelemetry.io/docs/languages/sdk-configuration/
 */
export function tracingEnvironment(tracing: Tracing, serviceName: string): Record<string, string> {
  return {
    OTEL_SERVICE_NAME: serviceName,
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `http://${OTLP}/v1/traces`,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: Tokenization.stringifyNumber(tracing._samplingRatio),
    // Lets Prefect load the plugin prefect-otel where the image has it.
    PREFECT_PLUGINS_ENABLED: 'true',
  };
}

/** Lets a task's role send traces. X-Ray has no resource-level permissions for this. */
export function grantTracing(role: iam.IRole): void {
  role.addToPrincipalPolicy(new iam.PolicyStatement({ sid: 'SendTraces', actions: ['xray:PutTraceSegments'], resources: ['*'] }));
}

/** Puts the collector next to the worker. */
export function addCollector(worker: ecs.ContainerDefinition, image: ecs.ContainerImage, logging: ecs.LogDriver): void {
  const collector = worker.taskDefinition.addContainer(CONTAINER, {
    image,
    logging,
    essential: false,
    environment: ENVIRONMENT,
    memoryLimitMiB: MEMORY_MIB,
    user: USER,
    readonlyRootFilesystem: true,
    healthCheck: {
      command: HEALTH_CHECK,
      interval: Duration.seconds(10),
      timeout: Duration.seconds(5),
      retries: 3,
      startPeriod: Duration.seconds(10),
    },
  });
  // So the collector stops last, with the last spans. Not HEALTHY: a collector that fails keeps no worker from its work.
  worker.addContainerDependencies({ container: collector, condition: ecs.ContainerDependencyCondition.START });
}
