import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { CdkCustomResourceEvent, CdkCustomResourceResponse } from 'aws-lambda';

/** Hands what CloudFormation asks on to the function that the resource names, and gives its answer. */
export async function handler(event: CdkCustomResourceEvent): Promise<CdkCustomResourceResponse> {
  const { Function: FunctionName } = event.ResourceProperties;
  const { Payload, FunctionError } = await new LambdaClient({}).send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }));
  const answer = JSON.parse(Buffer.from(Payload!).toString());
  if (FunctionError) throw new Error(answer.errorMessage);
  return answer;
}
