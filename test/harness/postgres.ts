import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../src/engine/readiness.ts';
import { docker } from './cli.ts';
import { newFolder } from './folder.ts';

export interface Postgres {
  /** Address of the Docker bridge, where containers reach the server. */
  host: string;
  port: number;
  /** From now on the user `app` needs this password. */
  requirePassword(password: string): void;
  stop(): void;
}

/** Starts a real PostgreSQL of its own on the Docker bridge. It trusts whoever connects from there as user `app`. */
export async function startPostgres(): Promise<Postgres> {
  const version = readdirSync('/usr/lib/postgresql').sort().at(-1)!;
  const program = (name: string) => join('/usr/lib/postgresql', version, 'bin', name);
  const asPostgres = (argv: string[]) => ['runuser', '-u', 'postgres', '--', ...argv] as const;
  const network = JSON.parse((await docker(['network', 'inspect', 'bridge'])).stdout) as [
    { IPAM: { Config: { Gateway: string; Subnet: string }[] } },
  ];
  const { Gateway: host, Subnet: subnet } = network[0].IPAM.Config[0]!;
  const folder = newFolder();
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  const run = ([command, ...args]: readonly string[]) => execFileSync(command!, args, { stdio: 'pipe', cwd: folder });
  run(asPostgres([program('initdb'), '--pgdata', data, '--username', 'app', '--auth', 'trust']));
  appendFileSync(join(data, 'pg_hba.conf'), `host all all ${subnet} trust\n`);
  const port = await freePort();
  const [command, ...args] = asPostgres([
    program('postgres'),
    '-D',
    data,
    '-h',
    host,
    '-p',
    String(port),
    '-k',
    folder,
  ]);
  const server = spawn(command!, args, { cwd: folder, stdio: 'ignore' });
  for (let attempt = 0; ; attempt++) {
    try {
      run([program('pg_isready'), '-h', host, '-p', String(port)]);
      break;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  return {
    host,
    port,
    requirePassword(password) {
      run(
        asPostgres([
          program('psql'),
          '-h',
          folder,
          '-p',
          String(port),
          '-U',
          'app',
          '-d',
          'postgres',
          '-c',
          `ALTER ROLE app PASSWORD '${password}'`,
        ]),
      );
      const rules = readFileSync(join(data, 'pg_hba.conf'), 'utf8');
      writeFileSync(join(data, 'pg_hba.conf'), rules.replace(`${subnet} trust`, `${subnet} scram-sha-256`));
      run(asPostgres([program('pg_ctl'), '-D', data, 'reload']));
    },
    stop() {
      run(asPostgres([program('pg_ctl'), '-D', data, '-m', 'immediate', 'stop']));
      server.kill();
    },
  };
}
