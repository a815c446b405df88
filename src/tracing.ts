import { aws_ecs as ecs } from 'aws-cdk-lib';
import { requireOtlpEndpoint, requireOtlpHeaders, requireSamplingRatio } from './private/tracing-validation';

/** What all traces have in common, wherever they go. */
export interface TracingOptions {
  /**
   * Share of flow runs that are traced, above 0 and up to 1. A run is traced as a whole, with its tasks and subflows.
   *
   * @see https://opentelemetry.io/docs/concepts/sampling/
   * @default 1
   */
  readonly samplingRatio?: number;

  /**
   * Image of the collector. Where tasks have no route to the internet, a copy of the default one in Amazon ECR.
   *
   * @default - the AWS Distro for OpenTelemetry (ADOT) Collector from Amazon ECR Public, at an exact version
   */
  readonly collectorImage?: ecs.ContainerImage;
}

/** Options of `Tracing.xray()`. */
export interface XRayTracingOptions extends TracingOptions {}

/** Options of `Tracing.otlp()`. */
export interface OtlpTracingOptions extends TracingOptions {
  /**
   * URL of a receiver of OTLP over HTTP, without `/v1/traces`, which is added: `https://api.honeycomb.io`, or your own collector, such as
   * `http://collector.example.internal:4318`. OTLP over gRPC, most often at port 4317, is not supported.
   *
   * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
   */
  readonly endpoint: string;

  /**
   * Headers that the receiver asks for, such as a vendor's API key. The values are secrets of AWS Secrets Manager or SSM parameters,
   * which only the collector's container gets: neither the template nor the flow runs have them.
   * In a value, the collector takes `$$` for `$`, and `${NAME}` for a variable of its own.
   *
   * @default - none
   */
  readonly headers?: { [name: string]: ecs.Secret };
}

interface TracingShape extends TracingOptions {
  readonly otlp?: OtlpTracingOptions;
}

/**
 * Where traces of flow runs go.
 *
 * Each task of a worker or a flow run gets a collector that takes traces over OTLP on the task's own loopback and sends them on: so
 * a flow run never waits for the receiver, and never has its key. A collector that fails while it runs doesn't affect flow runs. One
 * whose image can't be pulled does: ECS doesn't start a task without all of its images, so give a copy in Amazon ECR with `collectorImage` where
 * tasks have no route to the internet.
 *
 * Prefect creates a span for each flow run and each task run, but the official images have nothing that sends them. Add
 * it to the image that runs your flows (`WorkPool.managed(name, { flowRunDefaults: { image } })`, or `image` of a
 * PROCESS worker):
 *
 * ```dockerfile
 * FROM prefecthq/prefect:3.9.1-python3.12
 * RUN pip install prefect-otel && opentelemetry-bootstrap -a install
 * ```
 *
 * The variables that it reads (`PREFECT_PLUGINS_ENABLED`, `OTEL_*`) are set; your own of the same name take precedence. The command
 * `opentelemetry-instrument prefect flow-run execute` is not enough: what it sets up ends with the process that it
 * starts, and Prefect runs the flow in another.
 *
 * Flow runs as Fargate tasks get the collector by the base job template of a managed work pool.
 *
 * @see https://pypi.org/project/prefect-otel/
 */
export class Tracing {
  /**
   * To AWS X-Ray. The roles of workers and flow runs are allowed to send to it.
   *
   * Throws when `samplingRatio` is not above 0 and up to 1.
   *
   * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-services-adot.html
   */
  public static xray(options: XRayTracingOptions = {}): Tracing {
    return new Tracing(options);
  }

  /**
   * To any receiver of OTLP over HTTP: a vendor's, or a collector of your own. The security groups that are created allow egress
   * to its port; an endpoint whose URL is known only at deployment is taken to be at 443.
   *
   * Throws for an invalid URL or one with a key, for an invalid name of a header, for a value that is not an `ecs.Secret`, and when `samplingRatio` is not
   * above 0 and up to 1. A warning tells you when headers and traces would cross the internet over plain http.
   *
   * @see https://opentelemetry.io/docs/specs/otlp/
   */
  public static otlp(options: OtlpTracingOptions): Tracing {
    requireOtlpEndpoint(options.endpoint);
    requireOtlpHeaders(options.headers);
    return new Tracing({ ...options, otlp: options });
  }

  /** @internal */
  public readonly _samplingRatio: number;

  /** @internal */
  public readonly _collectorImage?: ecs.ContainerImage;

  /**
   * Undefined where they go to AWS X-Ray.
   *
   * @internal
   */
  public readonly _otlp?: OtlpTracingOptions;

  private constructor({ samplingRatio, collectorImage, otlp }: TracingShape) {
    requireSamplingRatio(samplingRatio);
    this._samplingRatio = samplingRatio ?? 1;
    this._collectorImage = collectorImage;
    this._otlp = otlp;
  }

  /** @internal */
  public get _secrets(): { readonly [header: string]: ecs.Secret } {
    return this._otlp?.headers ?? {};
  }
}
