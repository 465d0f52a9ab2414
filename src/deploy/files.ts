import { composeFile } from './compose.ts';
import type { Deployment } from './deployment.ts';
import { knativeFile } from './knative.ts';
import { kubernetesFile } from './kubernetes.ts';

/** Every deployment file by its name. */
export function deploymentFiles(deployment: Deployment): Record<string, string> {
  return {
    'docker-compose.yml': composeFile(deployment),
    'kubernetes.yaml': kubernetesFile(deployment),
    'knative.yaml': knativeFile(deployment),
  };
}
