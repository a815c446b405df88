import { HOURS, Line, PRICE } from './costs';

/** In US dollars, as of 2026-11, for us-east-1. The pages are in docs/server.md. */
const SERVER_PRICE = {
  databaseHour: { 'db.t4g.micro': 0.016 } as Record<string, number>,
  databaseGigabyte: 0.115,
  auroraUnitHour: 0.12,
  nodeHour: { 'cache.t4g.micro': 0.0128 } as Record<string, number>,
  loadBalancerHour: 0.0225,
  loadBalancerUnitHour: 0.008,
  publicAddressHour: 0.005,
  webAcl: 5,
  rule: 1,
};

/** What a server costs while few runs use it: what its construct creates, without the VPC and workers that may stand beside it. */
export function serverBill(template: any): Line[] {
  const resources = Object.entries<any>(template.Resources).filter(([id]) => id.startsWith('Server')).map(([, resource]) => resource);
  const of = (type: string): any[] => resources.filter(({ Type }) => Type === type).map(({ Properties }) => Properties ?? {});
  const line = (what: string, count: number, price: number, hours = 1): Line =>
    ({ what, arithmetic: [count, price, ...hours > 1 ? [`${hours} h`] : []].join(' × '), dollars: count * price * hours });
  const instances = of('AWS::RDS::DBInstance').filter(({ DBInstanceClass }) => DBInstanceClass !== 'db.serverless');
  const units = of('AWS::RDS::DBInstance').filter(({ DBInstanceClass }) => DBInstanceClass === 'db.serverless').length
    * (of('AWS::RDS::DBCluster')[0]?.ServerlessV2ScalingConfiguration.MinCapacity ?? 0);
  const nodes = of('AWS::ElastiCache::ReplicationGroup');
  const balancers = of('AWS::ElasticLoadBalancingV2::LoadBalancer');
  const addresses = balancers.filter(({ Scheme }) => Scheme === 'internet-facing').reduce((sum, { Subnets }) => sum + Subnets.length, 0);
  const alarms = of('AWS::CloudWatch::Alarm').reduce((sum, { Metrics }) => sum + Math.max(1, (Metrics ?? []).filter(({ MetricStat }: any) => MetricStat).length), 0);
  return [
    ...tasks(template, of),
    ...instances.map(({ DBInstanceClass }) => line(`database, ${DBInstanceClass}`, 1, SERVER_PRICE.databaseHour[DBInstanceClass], HOURS)),
    line('GB of its disk', instances.reduce((sum, { AllocatedStorage }) => sum + Number(AllocatedStorage), 0), SERVER_PRICE.databaseGigabyte),
    line('Aurora capacity units, at the least', units, SERVER_PRICE.auroraUnitHour, HOURS),
    ...nodes.map(({ NumCacheClusters, CacheNodeType }) => line(`Valkey, ${CacheNodeType}`, NumCacheClusters, SERVER_PRICE.nodeHour[CacheNodeType], HOURS)),
    line('load balancer', balancers.length, SERVER_PRICE.loadBalancerHour, HOURS),
    line('its capacity unit', balancers.length, SERVER_PRICE.loadBalancerUnitHour, HOURS),
    line('its public addresses', addresses, SERVER_PRICE.publicAddressHour, HOURS),
    line('web ACL', of('AWS::WAFv2::WebACL').length, SERVER_PRICE.webAcl),
    line('its rules', of('AWS::WAFv2::WebACL').reduce((sum, { Rules }) => sum + Rules.length, 0), SERVER_PRICE.rule),
    line('KMS key', of('AWS::KMS::Key').length, PRICE.key),
    line('secrets, with that of the database', of('AWS::SecretsManager::Secret').length + 1, PRICE.secret),
    line('Cloud Map namespace', of('AWS::ServiceDiscovery::PrivateDnsNamespace').length, PRICE.hostedZone),
    line('metrics under alarms', alarms, PRICE.alarmMetric),
  ].filter(({ dollars }) => dollars > 0);
}

/** The least that always run. */
function tasks(template: any, of: (type: string) => any[]): Line[] {
  const targets = of('AWS::ApplicationAutoScaling::ScalableTarget');
  return of('AWS::ECS::Service').map(({ DesiredCount, TaskDefinition }) => {
    const { Cpu, Memory, RuntimePlatform, ContainerDefinitions } = template.Resources[TaskDefinition.Ref].Properties;
    const count = DesiredCount ?? targets[0].MinCapacity;
    const [vCpu, gigabytes] = [Number(Cpu) / 1024, Number(Memory) / 1024];
    const [cpuPrice, memoryPrice] = [PRICE.vCpuHour[RuntimePlatform.CpuArchitecture], PRICE.gigabyteHour[RuntimePlatform.CpuArchitecture]];
    const command = ContainerDefinitions.find(({ Name }: any) => Name === 'prefect').Command;
    return {
      what: command.includes('--no-services') ? 'API tasks' : command.includes('services') ? 'tasks of the background services' : 'server task',
      arithmetic: `${count} × (${vCpu} vCPU × ${cpuPrice} + ${gigabytes} GB × ${memoryPrice}) × ${HOURS} h`,
      dollars: count * (vCpu * cpuPrice + gigabytes * memoryPrice) * HOURS,
    };
  });
}
