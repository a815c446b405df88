using Amazon.CDK;
using CdkPrefect.FargateWorker;
using Ecs = Amazon.CDK.AWS.ECS;
using SecretsManager = Amazon.CDK.AWS.SecretsManager;

var app = new App();
var stack = new Stack(app, "DataPlatform");
var apiKey = SecretsManager.Secret.FromSecretNameV2(stack, "ApiKey", "prefect-api-key");

new PrefectFargateWorker(stack, "Worker", new PrefectFargateWorkerProps
{
    Api = PrefectApi.Cloud(new PrefectCloudOptions
    {
        AccountId = "11111111-2222-3333-4444-555555555555",
        WorkspaceId = "66666666-7777-8888-9999-000000000000",
        ApiKey = Ecs.Secret.FromSecretsManager(apiKey),
    }),
    WorkPool = WorkPool.Managed("etl"),
});

app.Synth();
