export * from './network/network-options';
export * from './observability/observability-options';
export * from './prefect-api';
export * from './prefect-fargate-worker';
export * from './prefect-fargate-worker-props';
export * from './scaling/scaling-options';
export * from './work-pool';
export * from './worker-type';
