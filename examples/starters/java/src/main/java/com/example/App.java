package com.example;

import io.github.cdkprefect.fargateworker.PrefectApi;
import io.github.cdkprefect.fargateworker.PrefectCloudOptions;
import io.github.cdkprefect.fargateworker.PrefectFargateWorker;
import io.github.cdkprefect.fargateworker.WorkPool;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.ecs.Secret;

public final class App {
    public static void main(final String[] args) {
        final var app = new software.amazon.awscdk.App();
        final var stack = new Stack(app, "PrefectWorker");
        final var apiKey = software.amazon.awscdk.services.secretsmanager.Secret.fromSecretNameV2(stack, "ApiKey", "prefect-api-key");

        PrefectFargateWorker.Builder.create(stack, "Worker")
                .api(PrefectApi.cloud(PrefectCloudOptions.builder()
                        .accountId((String) app.getNode().tryGetContext("prefectAccountId"))
                        .workspaceId((String) app.getNode().tryGetContext("prefectWorkspaceId"))
                        .apiKey(Secret.fromSecretsManager(apiKey))
                        .build()))
                .workPool(WorkPool.managed("etl"))
                .build();

        app.synth();
    }
}
