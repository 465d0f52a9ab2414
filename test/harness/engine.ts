import { runProgram } from './run-program.ts';

/** Tags of the images that the product has made for an app. */
export async function imageTags(app: string): Promise<string[]> {
  const list = await runProgram(['docker', 'image', 'ls', '--format', '{{.Tag}}', `dotnet-snapshot/${app}`]);
  return list.split('\n').filter(Boolean);
}

/** Removes an app's images, whatever uses them. */
export async function removeImages(app: string): Promise<void> {
  for (const tag of await imageTags(app)) {
    await runProgram(['docker', 'image', 'rm', '--force', `dotnet-snapshot/${app}:${tag}`]);
  }
}

/** Containers of an app's images that were made since a moment: how many, and which of them are there still. */
export async function containersSince(app: string, since: Date): Promise<{ made: number; left: string[] }> {
  const period = ['--since', since.toISOString(), '--until', new Date().toISOString()];
  const filters = ['--filter', 'type=container', '--filter', 'event=create'];
  const format = ['--format', '{{.Actor.ID}} {{.Actor.Attributes.image}}'];
  const events = await runProgram(['docker', 'events', ...period, ...filters, ...format]);
  const made = events
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, image]) => image?.startsWith(`dotnet-snapshot/${app}:`))
    .map(([id]) => id!);
  const present = (await runProgram(['docker', 'ps', '--all', '--quiet', '--no-trunc'])).split('\n');
  return { made: made.length, left: made.filter((id) => present.includes(id)) };
}
