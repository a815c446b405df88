package consumer;

import io.github.cdkprefect.fargateworker.AlarmOptions;
import io.github.cdkprefect.fargateworker.CapacityOptions;
import io.github.cdkprefect.fargateworker.ComplianceOptions;
import io.github.cdkprefect.fargateworker.FlowRunDefaults;
import io.github.cdkprefect.fargateworker.HighlyAvailableServerOptions;
import io.github.cdkprefect.fargateworker.LogArchiveOptions;
import io.github.cdkprefect.fargateworker.ManagedResultsOptions;
import io.github.cdkprefect.fargateworker.ManagedWorkPoolOptions;
import io.github.cdkprefect.fargateworker.NetworkOptions;
import io.github.cdkprefect.fargateworker.ObservabilityOptions;
import io.github.cdkprefect.fargateworker.PrefectApi;
import io.github.cdkprefect.fargateworker.PrefectCloudOptions;
import io.github.cdkprefect.fargateworker.PrefectFargateWorker;
import io.github.cdkprefect.fargateworker.PrefectServer;
import io.github.cdkprefect.fargateworker.Results;
import io.github.cdkprefect.fargateworker.ScalingOptions;
import io.github.cdkprefect.fargateworker.ScalingSchedule;
import io.github.cdkprefect.fargateworker.SelfHostedApiOptions;
import io.github.cdkprefect.fargateworker.ServerAccess;
import io.github.cdkprefect.fargateworker.ServerAuroraOptions;
import io.github.cdkprefect.fargateworker.ServerDatabase;
import io.github.cdkprefect.fargateworker.ServerDomain;
import io.github.cdkprefect.fargateworker.ServerFirewallOptions;
import io.github.cdkprefect.fargateworker.ServerObservabilityOptions;
import io.github.cdkprefect.fargateworker.ServerOidcOptions;
import io.github.cdkprefect.fargateworker.ServerSignIn;
import io.github.cdkprefect.fargateworker.ServerSize;
import io.github.cdkprefect.fargateworker.ServerTaskSize;
import io.github.cdkprefect.fargateworker.StandbyOptions;
import io.github.cdkprefect.fargateworker.ThresholdAlarmSettings;
import io.github.cdkprefect.fargateworker.Tracing;
import io.github.cdkprefect.fargateworker.WorkPool;
import io.github.cdkprefect.fargateworker.WorkQueue;
import io.github.cdkprefect.fargateworker.WorkerType;
import io.github.cdkprefect.fargateworker.XRayTracingOptions;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import software.amazon.awscdk.AppProps;
import software.amazon.awscdk.CfnParameter;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.SecretValue;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.TimeZone;
import software.amazon.awscdk.services.applicationautoscaling.CronOptions;
import software.amazon.awscdk.services.applicationautoscaling.Schedule;
import software.amazon.awscdk.services.ec2.IVpc;
import software.amazon.awscdk.services.ec2.SecurityGroup;
import software.amazon.awscdk.services.ec2.Vpc;
import software.amazon.awscdk.services.ec2.VpcAttributes;
import software.amazon.awscdk.services.ecr.IRepository;
import software.amazon.awscdk.services.ecr.Repository;
import software.amazon.awscdk.services.ecs.Cluster;
import software.amazon.awscdk.services.ecs.ClusterAttributes;
import software.amazon.awscdk.services.ecs.ContainerImage;
import software.amazon.awscdk.services.ecs.CpuArchitecture;
import software.amazon.awscdk.services.ecs.ICluster;
import software.amazon.awscdk.services.logs.RetentionDays;
import software.amazon.awscdk.services.route53.HostedZoneAttributes;
import software.amazon.awscdk.services.route53.PublicHostedZone;
import software.amazon.awscdk.services.secretsmanager.Secret;

/** Synthesizes the scenarios of test/scenarios.ts, and reports how mistakes read. */
public final class App {
    private static final String ACCOUNT_ID = "11111111-2222-3333-4444-555555555555";
    private static final String WORKSPACE_ID = "66666666-7777-8888-9999-000000000000";

    public static void main(final String[] args) throws Exception {
        final Path out = Path.of(args[0]);
        final Map<String, Consumer<software.amazon.awscdk.App>> scenarios = new LinkedHashMap<>();
        scenarios.put("ecs", App::ecsWorker);
        scenarios.put("process", App::processWorker);
        scenarios.put("existing-network", App::existingNetwork);
        scenarios.put("self-hosted", App::selfHosted);
        scenarios.put("everything-on", App::everythingOn);
        scenarios.put("two-workers", App::twoWorkers);
        scenarios.put("server", App::server);
        scenarios.put("public-server", App::publicServer);
        scenarios.forEach((name, build) -> {
            final software.amazon.awscdk.App app = new software.amazon.awscdk.App(AppProps.builder()
                    .outdir(out.resolve(name).toString())
                    .analyticsReporting(false)
                    .treeMetadata(false)
                    .build());
            build.accept(app);
            app.synth();
        });

        final Map<String, Runnable> mistakes = new LinkedHashMap<>();
        mistakes.put("a work pool's name", () -> WorkPool.managed("etl/nightly"));
        mistakes.put("a worker's size", () -> {
            final Stack stack = new Stack();
            PrefectFargateWorker.Builder.create(stack, "Worker")
                    .api(cloud(stack))
                    .workPool(WorkPool.managed("etl"))
                    .cpu(1000)
                    .build();
        });
        final StringBuilder report = new StringBuilder();
        mistakes.forEach((name, mistake) -> {
            report.append(report.length() == 0 ? "{" : ",").append(json(name)).append(":").append(report(mistake));
        });
        Files.writeString(out.resolve("mistakes.json"), report.append("}"));
    }

    private static void ecsWorker(final software.amazon.awscdk.App app) {
        final Stack stack = new Stack(app, "Ecs");
        PrefectFargateWorker.Builder.create(stack, "Worker").api(cloud(stack)).workPool(WorkPool.managed("etl")).build();
    }

    private static void processWorker(final software.amazon.awscdk.App app) {
        final Stack stack = new Stack(app, "Process");
        PrefectFargateWorker.Builder.create(stack, "Worker")
                .api(cloud(stack))
                .workPool(WorkPool.managed("etl-processes", ManagedWorkPoolOptions.builder()
                        .concurrencyLimit(20)
                        .workQueues(List.of(
                                WorkQueue.builder().name("urgent").priority(1).build(),
                                WorkQueue.builder().name("rest").concurrencyLimit(5).build()))
                        .build()))
                .workerType(WorkerType.PROCESS)
                .workQueues(List.of("urgent", "rest"))
                .observability(ObservabilityOptions.builder().tracing(Tracing.xray()).build())
                .compliance(ComplianceOptions.builder().configRules(true).build())
                .build();
    }

    private static void existingNetwork(final software.amazon.awscdk.App app) {
        final Stack stack = new Stack(app, "ExistingNetwork");
        final IVpc vpc = Vpc.fromVpcAttributes(stack, "Vpc", VpcAttributes.builder()
                .vpcId("vpc-0a1b2c3d")
                .availabilityZones(List.of("us-east-1a", "us-east-1b"))
                .privateSubnetIds(List.of("subnet-0a1b2c3d", "subnet-4e5f6a7b"))
                .vpcCidrBlock("10.20.0.0/16")
                .build());
        final ICluster cluster = Cluster.fromClusterAttributes(stack, "Cluster", ClusterAttributes.builder()
                .clusterName("shared")
                .vpc(vpc)
                .securityGroups(List.of())
                .build());
        PrefectFargateWorker.Builder.create(stack, "Worker")
                .api(cloud(stack))
                .workPool(WorkPool.existing("etl"))
                .scaling(ScalingOptions.builder().standby(StandbyOptions.builder().build()).build())
                .vpc(vpc)
                .cluster(cluster)
                .securityGroups(List.of(SecurityGroup.fromSecurityGroupId(stack, "Group", "sg-0a1b2c3d")))
                .build();
    }

    private static void selfHosted(final software.amazon.awscdk.App app) {
        final Stack stack = new Stack(app, "SelfHosted");
        final IRepository images = Repository.fromRepositoryName(stack, "Images", "prefect");
        final IVpc vpc = Vpc.fromVpcAttributes(stack, "Vpc", VpcAttributes.builder()
                .vpcId("vpc-4e5f6a7b")
                .availabilityZones(List.of("us-east-1a", "us-east-1b", "us-east-1c"))
                .isolatedSubnetIds(List.of("subnet-11111111", "subnet-22222222", "subnet-33333333"))
                .isolatedSubnetRouteTableIds(List.of("rtb-11111111", "rtb-22222222", "rtb-33333333"))
                .isolatedSubnetIpv4CidrBlocks(List.of("100.64.0.0/18", "100.64.64.0/18", "100.64.128.0/18"))
                .vpcCidrBlock("10.30.0.0/16")
                .build());
        final PrefectApi api = PrefectApi.selfHosted(SelfHostedApiOptions.builder()
                .url("https://prefect.internal.example.com:4200/api")
                .authString(software.amazon.awscdk.services.ecs.Secret.fromSecretsManager(new Secret(stack, "AuthString"), "auth"))
                .customHeaders(software.amazon.awscdk.services.ecs.Secret.fromSecretsManager(new Secret(stack, "Headers")))
                .tlsCaCertificate("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
                .privateNetwork(true)
                .build());
        PrefectFargateWorker.Builder.create(stack, "Worker")
                .api(api)
                .workPool(WorkPool.managed("on premises \"etl\"", ManagedWorkPoolOptions.builder()
                        .deleteOnRemoval(true)
                        .flowRunDefaults(FlowRunDefaults.builder()
                                .image(ContainerImage.fromEcrRepository(images, "flows-1.4.2"))
                                .cpu(1024)
                                .memoryLimitMiB(4096)
                                .capacity(CapacityOptions.builder().spotWeight(1).onDemandWeight(0).build())
                                .environment(Map.of("LOG_LEVEL", "debug", "AWS_RETRY_MODE", "adaptive"))
                                .command(List.of("nice", "prefect", "flow-run", "execute"))
                                .build())
                        .build()))
                .image(ContainerImage.fromEcrRepository(images, "worker-3.9.1"))
                .environment(Map.of("TZ", "Europe/Berlin", "PREFECT_LOGGING_LEVEL", "DEBUG"))
                .vpc(vpc)
                .network(NetworkOptions.builder().vpcEndpoints(true).build())
                .cpuArchitecture(CpuArchitecture.ARM64)
                .observability(ObservabilityOptions.builder()
                        .tracing(Tracing.xray(XRayTracingOptions.builder()
                                .samplingRatio(0.25)
                                .collectorImage(ContainerImage.fromEcrRepository(images, "collector-0.49.0"))
                                .build()))
                        .monthlyBudget(500)
                        .alarms(AlarmOptions.builder().overBudget(ThresholdAlarmSettings.builder().threshold(90).build()).build())
                        .build())
                .compliance(ComplianceOptions.builder().configRules(true).build())
                .build();
    }

    private static void everythingOn(final software.amazon.awscdk.App app) {
        final Stack stack = new Stack(app, "EverythingOn");
        PrefectFargateWorker.Builder.create(stack, "Worker")
                .api(cloud(stack))
                .workPool(WorkPool.managed("nightly"))
                .workerType(WorkerType.PROCESS)
                .network(NetworkOptions.builder().maxAzs(3).cidr("10.30.0.0/16").functionsInVpc(true).build())
                .enableExecuteCommand(true)
                .verify(true)
                .results(Results.managed(ManagedResultsOptions.builder().expiration(Duration.days(7)).build()))
                .scaling(ScalingOptions.builder()
                        .minWorkers(1)
                        .maxWorkers(20)
                        .leadTime(Duration.minutes(5))
                        .pollInterval(Duration.seconds(30))
                        .spareFlowRuns(2)
                        .scaleInAfter(Duration.minutes(10))
                        .schedules(List.of(ScalingSchedule.builder()
                                .start(Schedule.cron(CronOptions.builder().hour("6").minute("0").build()))
                                .end(Schedule.cron(CronOptions.builder().hour("9").minute("0").build()))
                                .minWorkers(4)
                                .timeZone(TimeZone.EUROPE_BERLIN)
                                .build()))
                        .build())
                .observability(ObservabilityOptions.builder()
                        .logRetention(RetentionDays.ONE_YEAR)
                        .tracing(Tracing.xray())
                        .logArchive(LogArchiveOptions.builder().build())
                        .logDestinationArn(CfnParameter.Builder.create(stack, "LogDestination").build().getValueAsString())
                        .build())
                .compliance(ComplianceOptions.builder().configRules(true).build())
                .build();
    }

    private static void twoWorkers(final software.amazon.awscdk.App app) {
        final Stack stack = new Stack(app, "TwoWorkers");
        final PrefectApi api = cloud(stack);
        final PrefectFargateWorker processes = PrefectFargateWorker.Builder.create(stack, "Processes")
                .api(api)
                .workPool(WorkPool.managed("quick"))
                .workerType(WorkerType.PROCESS)
                .build();
        PrefectFargateWorker.Builder.create(stack, "Tasks")
                .api(api)
                .workPool(WorkPool.managed("heavy"))
                .results(Results.managed())
                .vpc(processes.getVpc())
                .cluster(processes.getCluster())
                .build();
    }

    private static void server(final software.amazon.awscdk.App app) {
        final Stack stack = new Stack(app, "Server");
        final PrefectServer own = PrefectServer.Builder.create(stack, "Server")
                .vpc(Vpc.fromVpcAttributes(stack, "Vpc", VpcAttributes.builder()
                        .vpcId("vpc-4e5f6a7b")
                        .availabilityZones(List.of("us-east-1a", "us-east-1b"))
                        .privateSubnetIds(List.of("subnet-0a1b2c3d", "subnet-4e5f6a7b"))
                        .vpcCidrBlock("10.20.0.0/16")
                        .build()))
                .build();
        PrefectFargateWorker.Builder.create(stack, "Worker")
                .api(PrefectApi.fromServer(own))
                .workPool(WorkPool.managed("etl"))
                .cluster(own.getCluster())
                .build();
    }

    private static void publicServer(final software.amazon.awscdk.App app) {
        final Stack stack = new Stack(app, "PublicServer");
        PrefectServer.Builder.create(stack, "Server")
                .vpc(Vpc.fromVpcAttributes(stack, "Vpc", VpcAttributes.builder()
                        .vpcId("vpc-0a1b2c3d")
                        .availabilityZones(List.of("us-east-1a", "us-east-1b"))
                        .publicSubnetIds(List.of("subnet-1a1b2c3d", "subnet-1e5f6a7b"))
                        .privateSubnetIds(List.of("subnet-0a1b2c3d", "subnet-4e5f6a7b"))
                        .vpcCidrBlock("10.20.0.0/16")
                        .build()))
                .size(ServerSize.highlyAvailable(HighlyAvailableServerOptions.builder()
                        .maxApiTasks(8)
                        .servicesTasks(3)
                        .apiTaskSize(ServerTaskSize.builder().cpu(1024).memoryLimitMiB(2048).build())
                        .build()))
                .database(ServerDatabase.auroraServerless(ServerAuroraOptions.builder()
                        .minCapacity(1)
                        .maxCapacity(8)
                        .backupRetention(Duration.days(14))
                        .build()))
                .access(ServerAccess.PUBLIC_LOAD_BALANCER)
                .domain(ServerDomain.builder()
                        .zone(PublicHostedZone.fromHostedZoneAttributes(stack, "Zone", HostedZoneAttributes.builder()
                                .hostedZoneId("Z0123456789ABCDEFGHIJ")
                                .zoneName("example.com")
                                .build()))
                        .name("prefect.example.com")
                        .build())
                .signIn(ServerSignIn.oidc(ServerOidcOptions.builder()
                        .issuer("https://login.example.com")
                        .authorizationEndpoint("https://login.example.com/authorize")
                        .tokenEndpoint("https://login.example.com/token")
                        .userInfoEndpoint("https://login.example.com/userinfo")
                        .clientId("prefect")
                        .clientSecret(SecretValue.secretsManager("prefect-client"))
                        .build()))
                .firewall(ServerFirewallOptions.builder().requestsPerFiveMinutes(5000).sqlInjectionRules(true).build())
                .flowRunRetention(Duration.days(30))
                .environment(Map.of("PREFECT_LOGGING_LEVEL", "WARNING"))
                .enableExecuteCommand(true)
                .observability(ServerObservabilityOptions.builder().logRetention(RetentionDays.ONE_YEAR).build())
                .build();
    }

    private static PrefectApi cloud(final Stack stack) {
        return PrefectApi.cloud(PrefectCloudOptions.builder()
                .accountId(ACCOUNT_ID)
                .workspaceId(WORKSPACE_ID)
                .apiKey(software.amazon.awscdk.services.ecs.Secret.fromSecretsManager(new Secret(stack, "ApiKey")))
                .build());
    }

    private static String report(final Runnable mistake) {
        try {
            mistake.run();
            return "{}";
        } catch (final RuntimeException error) {
            final StringWriter shown = new StringWriter();
            error.printStackTrace(new PrintWriter(shown));
            return "{\"message\":" + json(error.getMessage()) + ",\"shown\":" + json(shown.toString()) + "}";
        }
    }

    private static String json(final String text) {
        final StringBuilder quoted = new StringBuilder("\"");
        text.chars().forEach(character -> quoted.append(String.format("\\u%04x", character)));
        return quoted.append('"').toString();
    }
}
