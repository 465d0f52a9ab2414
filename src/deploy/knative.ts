import type { IService } from '@kubernetes-models/knative/serving.knative.dev/v1';
import type { Deployment } from './deployment.ts';
import { containerComments, podContainer, podVolumes, probes } from './kubernetes.ts';
import { yamlFile } from './yaml.ts';

/** A Knative Service, which scales to zero by itself. */
export function knativeFile(deployment: Deployment): string {
  const { name, port, manifest } = deployment;
  const { ports, ...container } = podContainer(deployment);
  const value: IService = {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: { name },
    spec: {
      template: {
        spec: {
          containers: [
            {
              ...container,
              // Knative takes no other names of ports than http1 and h2c.
              ports: [{ containerPort: port, ...(deployment.ready?.protocol === 'h2c' && { name: 'h2c' }) }],
              ...probes(deployment, port, {
                readinessProbe: {},
                livenessProbe: { periodSeconds: 10, timeoutSeconds: 5 },
              }),
            },
          ],
          volumes: podVolumes(deployment),
        },
      },
    },
  };
  const at = 'spec template spec containers 0';
  return yamlFile(
    [
      `Made by dotnet-snapshot for snapshot ${manifest.id}. Knative refuses the volume unless the ConfigMap`,
      'config-features in knative-serving has kubernetes.podspec-volumes-emptydir: enabled, which is the default.',
      'Everything else is said at the container and needs no feature flag. Old versions of Knative refuse some of these fields: leave those out.',
    ].join('\n'),
    {
      value,
      comments: {
        ...containerComments(deployment, at),
        [`${at} readinessProbe`]:
          'Without a period Knative asks many times a second until the app answers, so that no time of a restore is lost.',
      },
    },
  );
}
