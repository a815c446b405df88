// Synthesizes the scenarios of test/scenarios.ts, and reports how mistakes read: `go run . <outdir>`.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapplicationautoscaling"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecr"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsroute53"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"
	worker "github.com/cdk-prefect/cdk-prefect-fargate-worker-go/cdkprefectfargateworker"
)

const (
	accountID   = "11111111-2222-3333-4444-555555555555"
	workspaceID = "66666666-7777-8888-9999-000000000000"
)

func cloud(stack awscdk.Stack) worker.PrefectApi {
	return worker.PrefectApi_Cloud(&worker.PrefectCloudOptions{
		AccountId:   jsii.String(accountID),
		WorkspaceId: jsii.String(workspaceID),
		ApiKey:      awsecs.Secret_FromSecretsManager(awssecretsmanager.NewSecret(stack, jsii.String("ApiKey"), nil), nil),
	})
}

func ecsWorker(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("Ecs"), nil)
	worker.NewPrefectFargateWorker(stack, jsii.String("Worker"), &worker.PrefectFargateWorkerProps{
		Api:      cloud(stack),
		WorkPool: worker.WorkPool_Managed(jsii.String("etl"), nil),
	})
}

func processWorker(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("Process"), nil)
	worker.NewPrefectFargateWorker(stack, jsii.String("Worker"), &worker.PrefectFargateWorkerProps{
		Api: cloud(stack),
		WorkPool: worker.WorkPool_Managed(jsii.String("etl-processes"), &worker.ManagedWorkPoolOptions{
			ConcurrencyLimit: jsii.Number(20),
			WorkQueues: &[]*worker.WorkQueue{
				{Name: jsii.String("urgent"), Priority: jsii.Number(1)},
				{Name: jsii.String("rest"), ConcurrencyLimit: jsii.Number(5)},
			},
		}),
		WorkerType:    worker.WorkerType_PROCESS,
		WorkQueues:    jsii.Strings("urgent", "rest"),
		Observability: &worker.ObservabilityOptions{Tracing: worker.Tracing_Xray(nil)},
		Compliance:    &worker.ComplianceOptions{ConfigRules: jsii.Bool(true)},
	})
}

func existingNetwork(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("ExistingNetwork"), nil)
	vpc := awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId:             jsii.String("vpc-0a1b2c3d"),
		AvailabilityZones: jsii.Strings("us-east-1a", "us-east-1b"),
		PrivateSubnetIds:  jsii.Strings("subnet-0a1b2c3d", "subnet-4e5f6a7b"),
		VpcCidrBlock:      jsii.String("10.20.0.0/16"),
	})
	cluster := awsecs.Cluster_FromClusterAttributes(stack, jsii.String("Cluster"), &awsecs.ClusterAttributes{
		ClusterName:    jsii.String("shared"),
		Vpc:            vpc,
		SecurityGroups: &[]awsec2.ISecurityGroup{},
	})
	worker.NewPrefectFargateWorker(stack, jsii.String("Worker"), &worker.PrefectFargateWorkerProps{
		Api:      cloud(stack),
		WorkPool: worker.WorkPool_Existing(jsii.String("etl")),
		Scaling:  &worker.ScalingOptions{Standby: &worker.StandbyOptions{}},
		Vpc:      vpc,
		Cluster:  cluster,
		SecurityGroups: &[]awsec2.ISecurityGroup{
			awsec2.SecurityGroup_FromSecurityGroupId(stack, jsii.String("Group"), jsii.String("sg-0a1b2c3d"), nil),
		},
	})
}

func selfHosted(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("SelfHosted"), nil)
	images := awsecr.Repository_FromRepositoryName(stack, jsii.String("Images"), jsii.String("prefect"))
	vpc := awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Vpc"), &awsec2.VpcAttributes{
		VpcId:                        jsii.String("vpc-4e5f6a7b"),
		AvailabilityZones:            jsii.Strings("us-east-1a", "us-east-1b", "us-east-1c"),
		IsolatedSubnetIds:            jsii.Strings("subnet-11111111", "subnet-22222222", "subnet-33333333"),
		IsolatedSubnetRouteTableIds:  jsii.Strings("rtb-11111111", "rtb-22222222", "rtb-33333333"),
		IsolatedSubnetIpv4CidrBlocks: jsii.Strings("100.64.0.0/18", "100.64.64.0/18", "100.64.128.0/18"),
		VpcCidrBlock:                 jsii.String("10.30.0.0/16"),
	})
	api := worker.PrefectApi_SelfHosted(&worker.SelfHostedApiOptions{
		Url:              jsii.String("https://prefect.internal.example.com:4200/api"),
		AuthString:       awsecs.Secret_FromSecretsManager(awssecretsmanager.NewSecret(stack, jsii.String("AuthString"), nil), jsii.String("auth")),
		CustomHeaders:    awsecs.Secret_FromSecretsManager(awssecretsmanager.NewSecret(stack, jsii.String("Headers"), nil), nil),
		TlsCaCertificate: jsii.String("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
		PrivateNetwork:   jsii.Bool(true),
	})
	worker.NewPrefectFargateWorker(stack, jsii.String("Worker"), &worker.PrefectFargateWorkerProps{
		Api: api,
		WorkPool: worker.WorkPool_Managed(jsii.String(`on premises "etl"`), &worker.ManagedWorkPoolOptions{
			DeleteOnRemoval: jsii.Bool(true),
			FlowRunDefaults: &worker.FlowRunDefaults{
				Image:          awsecs.ContainerImage_FromEcrRepository(images, jsii.String("flows-1.4.2")),
				Cpu:            jsii.Number(1024),
				MemoryLimitMiB: jsii.Number(4096),
				Capacity:       &worker.CapacityOptions{SpotWeight: jsii.Number(1), OnDemandWeight: jsii.Number(0)},
				Environment:    &map[string]*string{"LOG_LEVEL": jsii.String("debug"), "AWS_RETRY_MODE": jsii.String("adaptive")},
				Command:        jsii.Strings("nice", "prefect", "flow-run", "execute"),
			},
		}),
		Image:           awsecs.ContainerImage_FromEcrRepository(images, jsii.String("worker-3.9.1")),
		Environment:     &map[string]*string{"TZ": jsii.String("Europe/Berlin"), "PREFECT_LOGGING_LEVEL": jsii.String("DEBUG")},
		Vpc:             vpc,
		Network:         &worker.NetworkOptions{VpcEndpoints: jsii.Bool(true)},
		CpuArchitecture: awsecs.CpuArchitecture_ARM64(),
		Observability: &worker.ObservabilityOptions{
			Tracing: worker.Tracing_Xray(&worker.XRayTracingOptions{
				SamplingRatio:  jsii.Number(0.25),
				CollectorImage: awsecs.ContainerImage_FromEcrRepository(images, jsii.String("collector-0.49.0")),
			}),
			MonthlyBudget: jsii.Number(500),
			Alarms:        &worker.AlarmOptions{OverBudget: &worker.ThresholdAlarmSettings{Threshold: jsii.Number(90)}},
		},
		Compliance: &worker.ComplianceOptions{ConfigRules: jsii.Bool(true)},
	})
}

func everythingOn(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("EverythingOn"), nil)
	worker.NewPrefectFargateWorker(stack, jsii.String("Worker"), &worker.PrefectFargateWorkerProps{
		Api:                  cloud(stack),
		WorkPool:             worker.WorkPool_Managed(jsii.String("nightly"), nil),
		WorkerType:           worker.WorkerType_PROCESS,
		Network:              &worker.NetworkOptions{MaxAzs: jsii.Number(3), Cidr: jsii.String("10.30.0.0/16"), FunctionsInVpc: jsii.Bool(true)},
		EnableExecuteCommand: jsii.Bool(true),
		Verify:               jsii.Bool(true),
		Results:              worker.Results_Managed(&worker.ManagedResultsOptions{Expiration: awscdk.Duration_Days(jsii.Number(7))}),
		Scaling: &worker.ScalingOptions{
			MinWorkers:    jsii.Number(1),
			MaxWorkers:    jsii.Number(20),
			LeadTime:      awscdk.Duration_Minutes(jsii.Number(5)),
			PollInterval:  awscdk.Duration_Seconds(jsii.Number(30)),
			SpareFlowRuns: jsii.Number(2),
			ScaleInAfter:  awscdk.Duration_Minutes(jsii.Number(10)),
			Schedules: &[]*worker.ScalingSchedule{{
				Start:      awsapplicationautoscaling.Schedule_Cron(&awsapplicationautoscaling.CronOptions{Hour: jsii.String("6"), Minute: jsii.String("0")}),
				End:        awsapplicationautoscaling.Schedule_Cron(&awsapplicationautoscaling.CronOptions{Hour: jsii.String("9"), Minute: jsii.String("0")}),
				MinWorkers: jsii.Number(4),
				TimeZone:   awscdk.TimeZone_EUROPE_BERLIN(),
			}},
		},
		Observability: &worker.ObservabilityOptions{
			LogRetention:      awslogs.RetentionDays_ONE_YEAR,
			Tracing:           worker.Tracing_Xray(nil),
			LogArchive:        &worker.LogArchiveOptions{},
			LogDestinationArn: awscdk.NewCfnParameter(stack, jsii.String("LogDestination"), nil).ValueAsString(),
		},
		Compliance: &worker.ComplianceOptions{ConfigRules: jsii.Bool(true)},
	})
}

func twoWorkers(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("TwoWorkers"), nil)
	api := cloud(stack)
	processes := worker.NewPrefectFargateWorker(stack, jsii.String("Processes"), &worker.PrefectFargateWorkerProps{
		Api:        api,
		WorkPool:   worker.WorkPool_Managed(jsii.String("quick"), nil),
		WorkerType: worker.WorkerType_PROCESS,
	})
	worker.NewPrefectFargateWorker(stack, jsii.String("Tasks"), &worker.PrefectFargateWorkerProps{
		Api:      api,
		WorkPool: worker.WorkPool_Managed(jsii.String("heavy"), nil),
		Results:  worker.Results_Managed(nil),
		Vpc:      processes.Vpc(),
		Cluster:  processes.Cluster(),
	})
}

func server(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("Server"), nil)
	own := worker.NewPrefectServer(stack, jsii.String("Server"), &worker.PrefectServerProps{
		Vpc: awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Vpc"), &awsec2.VpcAttributes{
			VpcId:             jsii.String("vpc-4e5f6a7b"),
			AvailabilityZones: jsii.Strings("us-east-1a", "us-east-1b"),
			PrivateSubnetIds:  jsii.Strings("subnet-0a1b2c3d", "subnet-4e5f6a7b"),
			VpcCidrBlock:      jsii.String("10.20.0.0/16"),
		}),
	})
	worker.NewPrefectFargateWorker(stack, jsii.String("Worker"), &worker.PrefectFargateWorkerProps{
		Api:      worker.PrefectApi_FromServer(own),
		WorkPool: worker.WorkPool_Managed(jsii.String("etl"), nil),
		Cluster:  own.Cluster(),
	})
}

func publicServer(app awscdk.App) {
	stack := awscdk.NewStack(app, jsii.String("PublicServer"), nil)
	worker.NewPrefectServer(stack, jsii.String("Server"), &worker.PrefectServerProps{
		Vpc: awsec2.Vpc_FromVpcAttributes(stack, jsii.String("Vpc"), &awsec2.VpcAttributes{
			VpcId:             jsii.String("vpc-0a1b2c3d"),
			AvailabilityZones: jsii.Strings("us-east-1a", "us-east-1b"),
			PublicSubnetIds:   jsii.Strings("subnet-1a1b2c3d", "subnet-1e5f6a7b"),
			PrivateSubnetIds:  jsii.Strings("subnet-0a1b2c3d", "subnet-4e5f6a7b"),
			VpcCidrBlock:      jsii.String("10.20.0.0/16"),
		}),
		Size: worker.ServerSize_HighlyAvailable(&worker.HighlyAvailableServerOptions{
			MaxApiTasks:   jsii.Number(8),
			ServicesTasks: jsii.Number(3),
			ApiTaskSize:   &worker.ServerTaskSize{Cpu: jsii.Number(1024), MemoryLimitMiB: jsii.Number(2048)},
		}),
		Database: worker.ServerDatabase_AuroraServerless(&worker.ServerAuroraOptions{
			MinCapacity:     jsii.Number(1),
			MaxCapacity:     jsii.Number(8),
			BackupRetention: awscdk.Duration_Days(jsii.Number(14)),
		}),
		Access: worker.ServerAccess_PUBLIC_LOAD_BALANCER,
		Domain: &worker.ServerDomain{
			Zone: awsroute53.PublicHostedZone_FromHostedZoneAttributes(stack, jsii.String("Zone"), &awsroute53.HostedZoneAttributes{
				HostedZoneId: jsii.String("Z0123456789ABCDEFGHIJ"),
				ZoneName:     jsii.String("example.com"),
			}),
			Name: jsii.String("prefect.example.com"),
		},
		SignIn: worker.ServerSignIn_Oidc(&worker.ServerOidcOptions{
			Issuer:                jsii.String("https://login.example.com"),
			AuthorizationEndpoint: jsii.String("https://login.example.com/authorize"),
			TokenEndpoint:         jsii.String("https://login.example.com/token"),
			UserInfoEndpoint:      jsii.String("https://login.example.com/userinfo"),
			ClientId:              jsii.String("prefect"),
			ClientSecret:          awscdk.SecretValue_SecretsManager(jsii.String("prefect-client"), nil),
		}),
		Firewall:             &worker.ServerFirewallOptions{RequestsPerFiveMinutes: jsii.Number(5000), SqlInjectionRules: jsii.Bool(true)},
		FlowRunRetention:     awscdk.Duration_Days(jsii.Number(30)),
		Environment:          &map[string]*string{"PREFECT_LOGGING_LEVEL": jsii.String("WARNING")},
		EnableExecuteCommand: jsii.Bool(true),
		Observability:        &worker.ServerObservabilityOptions{LogRetention: awslogs.RetentionDays_ONE_YEAR},
	})
}

var scenarios = map[string]func(awscdk.App){
	"ecs":              ecsWorker,
	"process":          processWorker,
	"existing-network": existingNetwork,
	"self-hosted":      selfHosted,
	"everything-on":    everythingOn,
	"two-workers":      twoWorkers,
	"server":           server,
	"public-server":    publicServer,
}

var mistakes = map[string]func(){
	"a work pool's name": func() { worker.WorkPool_Managed(jsii.String("etl/nightly"), nil) },
	"a worker's size": func() {
		stack := awscdk.NewStack(nil, nil, nil)
		worker.NewPrefectFargateWorker(stack, jsii.String("Worker"), &worker.PrefectFargateWorkerProps{
			Api:      cloud(stack),
			WorkPool: worker.WorkPool_Managed(jsii.String("etl"), nil),
			Cpu:      jsii.Number(1000),
		})
	},
}

func report(mistake func()) (result map[string]string) {
	defer func() {
		if reason := recover(); reason != nil {
			result = map[string]string{"message": fmt.Sprint(reason), "shown": fmt.Sprint("panic: ", reason)}
		}
	}()
	mistake()
	return nil
}

func main() {
	defer jsii.Close()
	out := os.Args[1]
	for name, build := range scenarios {
		app := awscdk.NewApp(&awscdk.AppProps{
			Outdir:             jsii.String(filepath.Join(out, name)),
			AnalyticsReporting: jsii.Bool(false),
			TreeMetadata:       jsii.Bool(false),
		})
		build(app)
		app.Synth(nil)
	}
	reports := map[string]map[string]string{}
	for name, mistake := range mistakes {
		reports[name] = report(mistake)
	}
	text, err := json.Marshal(reports)
	if err == nil {
		err = os.WriteFile(filepath.Join(out, "mistakes.json"), text, 0o644)
	}
	if err != nil {
		panic(err)
	}
}
