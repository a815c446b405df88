export const NAMESPACE = 'PrefectFargateWorker';
