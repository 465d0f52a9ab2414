import { composeFile } from './compose.ts';
import type { Deployment } from './deployment.ts';
import { knativeFile } from './knative.ts';
import { kubernetesFile } from './kubernetes.ts';
import { nodesFile, operatorFile } from './nodes.ts';
import { decideSeccomp } from './seccomp.ts';

/**
 * Every deployment file by its name. `seccompProfile` is the shipped one, in Docker's form; all files have it with its
 * conditions decided for what the container is granted.
 */
export function deploymentFiles(deployment: Deployment, seccompProfile: unknown): Record<string, string> {
  const { architecture } = deployment.manifest.host;
  const profile = decideSeccomp(seccompProfile, architecture, deployment.spec('').capabilities ?? []);
  return {
    'docker-compose.yml': composeFile(deployment),
    'kubernetes.yaml': kubernetesFile(deployment),
    'knative.yaml': knativeFile(deployment),
    'seccomp.json': `${JSON.stringify(profile, null, 2)}\n`,
    'seccomp-nodes.yaml': nodesFile(profile, architecture),
    'seccomp-operator.yaml': operatorFile(profile, architecture),
  };
}
