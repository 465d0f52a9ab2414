/** What the build itself knows to be secret, from wherever it knows it. */
export { secretsOfConfiguration, secretsOfEnvironment } from './environment.ts';
export { secretsOfAppSettings, secretsOfUserSecrets } from './files.ts';
export { parseGivenSecrets } from './given.ts';
export { partsOf } from './parts.ts';
export { searchableSecrets } from './search.ts';
export { isSecretSetting } from './setting.ts';
export { fixForStartOnly, isStartOnly } from './startOnly.ts';
export { secretsOfAnswers, secretsOfTraffic } from './traffic.ts';
export { trivialReason } from './worth.ts';
