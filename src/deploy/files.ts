import { composeFile } from './compose.ts';
import { type Deployment, isServer } from './deployment.ts';
import { knativeFile } from './knative.ts';
import { kubernetesFile } from './kubernetes.ts';

/** Every deployment file by its name; Knative starts only what it can send requests to, in the clear. */
export function deploymentFiles(deployment: Deployment): Record<string, string> {
  const onKnative = isServer(deployment) && deployment.ready?.protocol !== 'https';
  return {
    'docker-compose.yml': composeFile(deployment),
    'kubernetes.yaml': kubernetesFile(deployment),
    ...(onKnative && { 'knative.yaml': knativeFile(deployment) }),
  };
}
