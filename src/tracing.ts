import { aws_ecs as ecs } from 'aws-cdk-lib';
import { invalid, known } from './private/validation';

/** Options of `Tracing.xray()`. */
export interface XRayTracingOptions {
  /**
   * Share of flow runs that are traced, above 0 and up to 1. A run is traced as a whole, with its tasks and subflows.
   *
   * @see https://opentelemetry.io/docs/concepts/sampling/
   * @default 1
   */
  readonly samplingRatio?: number;

  /**
   * Image of the collector. Where tasks have no way to the internet, a copy of the default one in Amazon ECR.
   *
   * @default - the AWS Distro for OpenTelemetry (ADOT) Collector from Amazon ECR Public, at an exact version
   */
  readonly collectorImage?: ecs.ContainerImage;
}

/** Where traces of flow runs go. */
export class Tracing {
  /**
   * To AWS X-Ray: each task of a worker or a flow run gets a collector that takes traces over OTLP on the task's own
   * loopback and sends them on. A collector that fails while it runs takes no flow run with it. One whose image can't be pulled
   * does: ECS starts no task of which an image is missing, so give a copy in Amazon ECR with `collectorImage` where tasks have no
   * route to the internet.
   *
   * Prefect makes a span of each flow run and each task run, but the official images have nothing that sends them. Add
   * it to the image that runs your flows (`WorkPool.managed(name, { flowRunDefaults: { image } })`, or `image` of a
   * PROCESS worker):
   *
   * ```dockerfile
   * FROM prefecthq/prefect:3.9.1-python3.12
   * RUN pip install prefect-otel && opentelemetry-bootstrap -a install
   * ```
   *
   * The variables that it reads (`PREFECT_PLUGINS_ENABLED`, `OTEL_*`) are set; yours of the same name win. The command
   * `opentelemetry-instrument prefect flow-run execute` is not enough: what it sets up ends with the process that it
   * starts, and Prefect runs the flow in another.
   *
   * Flow runs as Fargate tasks get the collector by the base job template of a managed work pool.
   *
   * Throws when `samplingRatio` is not above 0 and up to 1.
   *
   * @see https://docs.aws.amazon.com/xray/latest/devguide/xray-services-adot.html
   * @see https://pypi.org/project/prefect-otel/
   */
  public static xray(options: XRayTracingOptions = {}): Tracing {
    const { samplingRatio } = options;
    if (known(samplingRatio) && !(samplingRatio > 0 && samplingRatio <= 1)) {
      throw invalid('samplingRatio', samplingRatio, 'give a share above 0 and up to 1, such as 0.1 for one run in ten; leave tracing out for none.');
    }
    return new Tracing(samplingRatio ?? 1, options.collectorImage);
  }

  private constructor(
    /** @internal */
    public readonly _samplingRatio: number,
    /** @internal */
    public readonly _collectorImage?: ecs.ContainerImage,
  ) {}
}
