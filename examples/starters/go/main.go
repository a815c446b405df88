package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"
	worker "github.com/cdk-prefect/cdk-prefect-fargate-worker-go/cdkprefectfargateworker"
)

func main() {
	defer jsii.Close()

	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("PrefectWorker"), nil)
	apiKey := awssecretsmanager.Secret_FromSecretNameV2(stack, jsii.String("ApiKey"), jsii.String("prefect-api-key"))

	worker.NewPrefectFargateWorker(stack, jsii.String("Worker"), &worker.PrefectFargateWorkerProps{
		Api: worker.PrefectApi_Cloud(&worker.PrefectCloudOptions{
			AccountId:   jsii.String(app.Node().TryGetContext(jsii.String("prefectAccountId")).(string)),
			WorkspaceId: jsii.String(app.Node().TryGetContext(jsii.String("prefectWorkspaceId")).(string)),
			ApiKey:      awsecs.Secret_FromSecretsManager(apiKey, nil),
		}),
		WorkPool: worker.WorkPool_Managed(jsii.String("etl"), nil),
	})

	app.Synth(nil)
}
