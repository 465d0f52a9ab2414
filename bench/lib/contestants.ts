import { tools } from './machine.ts';
import { type Startable, start } from './start.ts';
import { type App, buildFloor, buildRestored, buildVariant, imageOf, JIT, type Variant } from './variants.ts';

/** An app with its recorded traffic. */
export type WarmableApp = App & { traffic: string };

/** Its framework is not in the base image, so each variant brings its own. */
export const MINIMAL: WarmableApp = {
  name: 'minimal',
  project: 'bench/apps/minimal',
  traffic: 'bench/apps/minimal/traffic.yaml',
  selfContained: true,
};

/** The minimal API and the samples. */
export const APPS: readonly WarmableApp[] = [
  MINIMAL,
  ...['todo-api', 'mvc-shop', 'worker'].map((name) => ({
    name,
    project: `samples/${name}`,
    traffic: `samples/${name}/traffic.yaml`,
  })),
];

export const RESTORED = 'Restored';
export const FLOOR = 'Floor';

/** What is started: a variant of an app, or the floor. */
export interface Contestant extends Startable {
  app: string;
  title: string;
}

/** What could not be built, started or measured, and why. */
export class LeftOut {
  readonly reasons: Record<string, string> = {};

  /** Does `work`; where it fails, notes why, and gives undefined. `what` names a variant, or a part of its measurement. */
  async unless<T>(what: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const { message, detail } = error as Error & { detail?: string };
      const why = detail?.split('\n').find((line) => /error/i.test(line)) ?? message.split('\n')[0]!;
      this.reasons[what] = why.replace(/^.*?\berror\s+(?=[A-Z]+\d)/, '').replace(/\s*\[[^\]]*\]$/, '');
      tools.log.warning(`left out: ${what}: ${why}`);
      return undefined;
    }
  }

  /** A line for each, to be published. */
  lines(): string[] {
    return Object.entries(this.reasons).map(([what, why]) => `Left out: ${what}: ${why}`);
  }
}

/** How {@link LeftOut} and the tables call a contestant. */
export const nameOf = ({ app, title }: Pick<Contestant, 'app' | 'title'>) =>
  app === title ? title : `${app}, ${title}`;

/** Builds the floor, the variants of the apps, and the snapshot of each app's JIT variant. */
export async function buildAll(
  apps: readonly WarmableApp[],
  variants: readonly Variant[],
  leftOut: LeftOut,
): Promise<void> {
  await leftOut.unless(FLOOR, buildFloor);
  for (const app of apps) {
    for (const variant of variants)
      await leftOut.unless(nameOf({ app: app.name, title: variant.title }), () => buildVariant(app, variant));
    const [from, tag] = [imageOf(app, JIT.name), imageOf(app, 'restored')];
    await leftOut.unless(nameOf({ app: app.name, title: RESTORED }), async () => {
      if (nameOf({ app: app.name, title: JIT.title }) in leftOut.reasons) throw new Error('it has no JIT variant');
      await tools.log.group(`building ${tag}`, () => buildRestored(app.name, from, tag, app.traffic, ['--pairs', '1']));
    });
  }
}

/**
 * The floor, and every variant that could be built, has an image and answers. The first start of each, which this
 * takes, is not to be counted.
 */
export async function contestants(
  apps: readonly WarmableApp[],
  variants: readonly Variant[],
  leftOut: LeftOut,
): Promise<Contestant[]> {
  const all: Contestant[] = [
    { app: FLOOR, title: FLOOR, image: imageOf({ name: 'floor' }, 'static') },
    ...apps.flatMap((app) => [
      ...variants.map(({ name, title }) => ({ app: app.name, title, image: imageOf(app, name) })),
      { app: app.name, title: RESTORED, image: imageOf(app, 'restored'), env: { DOTNET_SNAPSHOT: 'require' } },
    ]),
  ];
  const able: Contestant[] = [];
  for (const contestant of all) {
    // An image of an earlier run is not what could not be built in this one.
    if (nameOf(contestant) in leftOut.reasons || !(await tools.docker.image(contestant.image))) continue;
    if (await leftOut.unless(nameOf(contestant), () => start(contestant, { timeoutMs: 10_000 }))) able.push(contestant);
  }
  return able;
}
