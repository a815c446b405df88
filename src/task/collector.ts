import { Annotations, aws_ecs as ecs, aws_iam as iam, Duration, Tokenization } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { proxyVariables } from './proxy';
import { sortedByName } from '../private/order';
import { isOutside, portOf } from '../private/url';
import { isResolved } from '../private/validation';
import { Tracing } from '../tracing';

const CONTAINER = 'collector';

/** The collector's version that its configuration below was written for. */
export const COLLECTOR_IMAGE = 'public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0';

/** Containers of a task share one loopback, so nothing outside the task reaches these. */
const OTLP = '127.0.0.1:4318';
const HEALTH = '127.0.0.1:13133';

/** What X-Ray finds traces by. The region is the task's; the collector reads it from the environment. */
const XRAY = { awsxray: { indexed_attributes: ['prefect.run.id', 'prefect.run.name', 'prefect.deployment.id'] } };

/** The headers' values are read by the collector from its environment: it logs its configuration when it starts. */
function otlp({ endpoint, headers }: { readonly endpoint: string; readonly headers: readonly string[] }) {
  return { otlphttp: { endpoint, headers: Object.fromEntries(headers.map((header, index) => [header, `\${env:${headerVariable(index)}}`])) } };
}

function headerVariable(index: number): string {
  return `OTLP_HEADER_${index}`;
}

/** YAML takes JSON, and its escapes: in a template, checkers take a dollar and a brace for a parameter of Fn::Sub. */
function configuration({ _otlp: given, _secrets: secrets }: Tracing): string {
  const exporters = given ? otlp({ endpoint: given.endpoint, headers: Object.keys(sortedByName(secrets)) }) : XRAY;
  const text = JSON.stringify({
    extensions: { health_check: { endpoint: HEALTH } },
    receivers: { otlp: { protocols: { http: { endpoint: OTLP } } } },
    processors: { batch: { timeout: '1s' } },
    exporters,
    service: {
      extensions: ['health_check'],
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], processors: ['batch'], exporters: Object.keys(exporters) } },
    },
  });
  return text.replaceAll('${env:', '\\u0024{env:');
}

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

/** Lets a task's role send traces to X-Ray, which has no resource-level permissions for this. */
export function grantTracing(tracing: Tracing, role: iam.IRole): void {
  if (tracing._otlp) return;
  role.addToPrincipalPolicy(new iam.PolicyStatement({ sid: 'SendTraces', actions: ['xray:PutTraceSegments'], resources: ['*'] }));
}

export interface CollectorProps {
  readonly tracing: Tracing;
  readonly image: ecs.ContainerImage;
  readonly logging: ecs.LogDriver;
  /** The variables of the container beside it: the collector takes the same proxy. */
  readonly environment?: { readonly [name: string]: string };
}

/** Puts the collector next to a worker or a flow run. */
export function addCollector(traced: ecs.ContainerDefinition, { tracing, image, logging, environment = {} }: CollectorProps): void {
  const headers = Object.values(sortedByName(tracing._secrets));
  const collector = traced.taskDefinition.addContainer(CONTAINER, {
    image,
    logging,
    essential: false,
    environment: { AOT_CONFIG_CONTENT: configuration(tracing), GOMEMLIMIT: '200MiB', ...proxyVariables(environment) },
    secrets: headers.length > 0 ? Object.fromEntries(headers.map((secret, index) => [headerVariable(index), secret])) : undefined,
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
  traced.addContainerDependencies({ container: collector, condition: ecs.ContainerDependencyCondition.START });
}

/** Nothing says that traces don't arrive, or who reads them on their way. */
export function warnOfEndpoint(worker: IConstruct, tracing: Tracing, isolated: boolean): void {
  if (!tracing._otlp) return;
  const { endpoint } = tracing._otlp;
  const warn = (id: string, text: string) => Annotations.of(worker).addWarningV2(`cdk-prefect-fargate-worker:tracing.${id}`, text);
  const shown = isResolved(endpoint) ? endpoint : 'the endpoint';
  if (isResolved(endpoint) && portOf(endpoint) === 4317) {
    warn('grpc', `Port 4317 of ${shown} is most often that of OTLP over gRPC, and the collector speaks OTLP over HTTP: give the port of that, most often 4318.`);
  }
  if (!isOutside(endpoint)) return;
  if (endpoint.toLowerCase().startsWith('http:')) warn('plainHttp', `Traces and their headers, keys among them, go to ${shown} in clear text: give an https endpoint, or one inside your network.`);
  if (isolated) warn('noInternetRoute', `Tasks run in subnets without a route to the internet and can't send traces to ${shown}: use subnets with a NAT gateway, a proxy, or a receiver inside your network.`);
}
