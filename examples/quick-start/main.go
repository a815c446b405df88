package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"
	prefect "github.com/cdk-prefect/cdk-prefect-fargate-worker-go/cdkprefectfargateworker"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("DataPlatform"), nil)
	apiKey := awssecretsmanager.Secret_FromSecretNameV2(stack, jsii.String("ApiKey"), jsii.String("prefect-api-key"))

	prefect.NewPrefectFargateWorker(stack, jsii.String("Worker"), &prefect.PrefectFargateWorkerProps{
		Api: prefect.PrefectApi_Cloud(&prefect.PrefectCloudOptions{
			AccountId:   jsii.String("11111111-2222-3333-4444-555555555555"),
			WorkspaceId: jsii.String("66666666-7777-8888-9999-000000000000"),
			ApiKey:      awsecs.Secret_FromSecretsManager(apiKey, nil),
		}),
		WorkPool: prefect.WorkPool_Managed(jsii.String("etl"), nil),
	})

	app.Synth(nil)
}
