import { aws_cloudwatch as cloudwatch, aws_ecs as ecs } from 'aws-cdk-lib';
import { MINUTE } from './alarm-definition';

/** A metric of the service from Container Insights. */
export function containerInsights(service: ecs.FargateService, metricName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'ECS/ContainerInsights',
    metricName,
    dimensionsMap: { ClusterName: service.cluster.clusterName, ServiceName: service.serviceName },
    statistic: cloudwatch.Stats.MAXIMUM,
    period: MINUTE,
    ...options,
  });
}

/** A metric of a NAT gateway. */
export function natMetric(natGatewayId: string, metricName: string, options: cloudwatch.MetricOptions = {}): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/NATGateway',
    metricName,
    dimensionsMap: { NatGatewayId: natGatewayId },
    statistic: cloudwatch.Stats.SUM,
    period: MINUTE,
    ...options,
  });
}
