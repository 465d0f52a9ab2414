import { execFile } from 'node:child_process';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../../src/version.ts';
import { newFolder } from '../harness/folder.ts';

// The package as a user gets it: packed, restored from a feed, called by an app that is neither warmed nor restored at
// first. What the companion does to it by reflection, the app does here.
const PROJECT = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <UseAppHost>false</UseAppHost>
  </PropertyGroup>
  <ItemGroup>
    <FrameworkReference Include="Microsoft.AspNetCore.App" />
    <PackageReference Include="DotnetSnapshot" Version="${version}" />
  </ItemGroup>
</Project>`;

const PROGRAM = `using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using DotnetSnapshot;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var bridge = typeof(SnapshotHooks).Assembly.GetType("DotnetSnapshot.CompanionBridge")!;
object? Call(string name, params object[] arguments) =>
    bridge.GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, arguments);
string? Run(string name, double seconds = 20, params object[] first) =>
    ((Task<string?>)Call(name, [.. first, TimeSpan.FromSeconds(seconds)])!).GetAwaiter().GetResult();
int Warmups() => (int)bridge.GetProperty("WarmupCount", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!;

List<string> ran = [];
var found = new Dictionary<string, object?>();
void Note(string name, object? value) => found.Add(name, value);
string[] Ran() { string[] all = [.. ran]; ran.Clear(); return all; }
Func<ValueTask> Add(string name) => async () => { await Task.Yield(); ran.Add(name); };
object State() => new { SnapshotInfo.IsCheckpointing, SnapshotInfo.IsRestored, SnapshotInfo.Id, SnapshotInfo.RestoredAt };
[MethodImpl(MethodImplOptions.NoInlining)]
WeakReference RegisterAndForget()
{
    var kept = new object();
    SnapshotHooks.RegisterAfterRestore(() => { GC.KeepAlive(kept); return default; });
    return new(kept);
}

List<object> gauge = [], activities = [];
using var meters = new MeterListener
{
    InstrumentPublished = (instrument, listener) =>
    {
        if (instrument.Meter.Name == SnapshotTelemetry.MeterName) listener.EnableMeasurementEvents(instrument);
    },
};
meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) =>
    gauge.Add(new { instrument.Name, value, tags = tags.ToArray() }));
meters.Start();
using var listener = new ActivityListener
{
    ShouldListenTo = source => source.Name == SnapshotTelemetry.ActivitySourceName,
    Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
    ActivityStopped = activity =>
        activities.Add(new { activity.OperationName, activity.TagObjects, status = activity.Status.ToString() }),
};
ActivitySource.AddActivityListener(listener);
object[] Gauge() { gauge.Clear(); meters.RecordObservableInstruments(); return [.. gauge]; }

// Started normally.
SnapshotHooks.RegisterBeforeCheckpoint(Add("before"));
SnapshotHooks.RegisterAfterRestore(Add("after"));
Host.CreateApplicationBuilder().AddCheckpointWarmup((_, _) => { ran.Add("warmup"); return Task.CompletedTask; });
var kept = RegisterAndForget();
GC.Collect();
Note("outside", new
{
    before = Run("RunBeforeCheckpoint"), after = Run("RunAfterRestore"), warmups = Warmups(), ran = Ran(),
    kept = kept.IsAlive, state = State(), gauge = Gauge(),
});
foreach (var register in new[] { SnapshotHooks.RegisterBeforeCheckpoint, SnapshotHooks.RegisterAfterRestore })
{
    try { register(null!); } catch (ArgumentNullException) { ran.Add("refused"); }
}
Note("null", Ran());

// Warmed.
Call("MarkCheckpointable");
Note("warming", State());
var builder = Host.CreateApplicationBuilder();
builder.Services.AddScoped<Visitor>();
List<Visitor> visitors = [];
Task Visit(IServiceProvider services, string name)
{
    visitors.Add(services.GetRequiredService<Visitor>());
    ran.Add(name);
    return Task.CompletedTask;
}
builder
    .AddCheckpointWarmup((services, _) => Visit(services, "first"))
    .AddCheckpointWarmup((services, _) => Visit(services, "second"))
    .AddCheckpointWarmup(async (_, cancel) => { if (Hooks.Mode == "hang") await Task.Delay(-1, cancel); });
var services = builder.Build().Services;
var failure = Run("RunWarmups", 20, services);
Note("warmup", new { failure, ran = Ran(), count = Warmups(), scopes = visitors.Distinct().Count() });
Hooks.Mode = "hang";
Note("warmupHangs", Run("RunWarmups", 1, services));
Hooks.Mode = "";
Ran();

ValueTask LocalFunction() => Hooks.Mode == "local" ? throw new InvalidOperationException("no room\\nat all") : default;
SnapshotHooks.RegisterBeforeCheckpoint(LocalFunction);
SnapshotHooks.RegisterBeforeCheckpoint(async () =>
{
    await Task.Yield();
    if (Hooks.Mode == "lambda") throw new FormatException("no form");
});
foreach (var name in new[] { "a", "b", "c" })
{
    SnapshotHooks.RegisterBeforeCheckpoint(Add(name));
    SnapshotHooks.RegisterAfterRestore(Add(name));
}
SnapshotHooks.RegisterBeforeCheckpoint(Hooks.Slow);
SnapshotHooks.RegisterBeforeCheckpoint(new Hooks.Nested<int>().Block);
SnapshotHooks.RegisterAfterRestore(Hooks.Hang);
Note("before", new { failure = Run("RunBeforeCheckpoint"), ran = Ran() });
foreach (var mode in new[] { "local", "lambda", "block", "slow" })
{
    Hooks.Mode = mode;
    Note(mode, Run("RunBeforeCheckpoint", mode is "block" ? 1 : mode is "slow" ? 2 : 20));
}
Hooks.Mode = "";
Ran();

// Restored.
Call("MarkRestored", "07b0060727f1", DateTimeOffset.UnixEpoch);
SnapshotHooks.RegisterAfterRestore(Add("late"));
activities.Clear();
failure = Run("RunAfterRestore");
Note("after", new { failure, ran = Ran(), state = State(), gauge = Gauge(), activities = activities.ToArray() });
Hooks.Mode = "hang";
activities.Clear();
Note("afterHangs", new { failure = Run("RunAfterRestore", 1), activities = activities.ToArray() });
Console.WriteLine(JsonSerializer.Serialize(found, JsonSerializerOptions.Web));

class Visitor;

static class Hooks
{
    public static string Mode = "";
    public static async ValueTask Hang() => await Task.Delay(Mode == "hang" ? -1 : 0);
    public static async ValueTask Slow() => await Task.Delay(Mode == "slow" ? 1200 : 0);
    public class Nested<T>
    {
        public ValueTask Block() { Thread.Sleep(Mode == "block" ? -1 : Mode == "slow" ? 1200 : 0); return default; }
    }
}`;

// biome-ignore lint/suspicious/noExplicitAny: what the app above has written.
let found: any;
let packed: string[];
let folder: string;

/** Runs dotnet; its packages come from nowhere but the feeds, since an older build of this version may be cached. */
async function dotnet(args: string[], packages: string): Promise<string> {
  const options = { env: { ...process.env, NUGET_PACKAGES: packages }, maxBuffer: 1 << 26 };
  const { stdout } = await promisify(execFile)('dotnet', args, options).catch((error) => {
    throw new Error(`dotnet ${args.join(' ')}: ${error.stdout}${error.stderr}`);
  });
  return stdout;
}

beforeAll(async () => {
  folder = newFolder();
  const [feed, app, packages] = ['feed', 'app', 'packages'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await dotnet(['pack', 'runtime/package', '--output', feed, '--artifacts-path', join(folder, 'build')], packages);
  packed = await readdir(feed);
  await mkdir(app);
  await writeFile(join(app, 'App.csproj'), PROJECT);
  await writeFile(join(app, 'Program.cs'), PROGRAM);
  await writeFile(
    join(app, 'nuget.config'),
    `<configuration><packageSources><add key="test" value="${feed}" /></packageSources></configuration>`,
  );
  const lines = (await dotnet(['run', '--project', app], packages)).trimEnd().split('\n');
  found = JSON.parse(lines.at(-1)!);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('the package has the version of this product', () => {
  expect(packed).toEqual([`DotnetSnapshot.${version}.nupkg`]);
});

describe('an app that was started normally', () => {
  test('runs no hook, keeps none, and says that it was not restored', () => {
    const state = { isCheckpointing: false, isRestored: false, id: null, restoredAt: null };
    const gauge = [{ name: 'dotnet_snapshot.restored', value: 0, tags: [] }];
    expect(found.outside).toEqual({ before: null, after: null, warmups: 0, ran: [], kept: false, state, gauge });
  });

  test('is told of a hook that is null', () => {
    expect(found.null).toEqual(['refused', 'refused']);
  });
});

describe('an app that is warmed', () => {
  test('knows it', () => {
    expect(found.warming).toEqual({ isCheckpointing: true, isRestored: false, id: null, restoredAt: null });
  });

  test('runs its warmups, each in a scope of its own', () => {
    expect(found.warmup).toEqual({ failure: null, ran: ['first', 'second'], count: 3, scopes: 2 });
  });

  test('tells a warmup of its deadline', () => {
    expect(found.warmupHangs).toBe('checkpoint warmup Program.Main (lambda) did not end within 1 s');
  });

  test('runs hooks before the checkpoint last in, first out', () => {
    expect(found.before).toEqual({ failure: null, ran: ['c', 'b', 'a'] });
  });

  test.each([
    ['local', 'Program.Main.LocalFunction threw InvalidOperationException: no room at all'],
    ['lambda', 'Program.Main (lambda) threw FormatException: no form'],
    ['block', 'Hooks.Nested.Block did not end within 1 s'],
    // Each of the two would have ended in time: the deadline is one for all.
    ['slow', 'Hooks.Slow did not end within 2 s'],
  ])('names a hook that fails: %s', (mode, message) => {
    expect(found[mode]).toBe(`before-checkpoint hook ${message}`);
  });
});

describe('an app that was restored', () => {
  const tags = [{ key: 'dotnet_snapshot.id', value: '07b0060727f1' }];
  const restoredAt = '1970-01-01T00:00:00+00:00';

  test('runs hooks after the restore first in, first out, and tells OpenTelemetry', () => {
    expect(found.after).toEqual({
      failure: null,
      ran: ['a', 'b', 'c'],
      state: { isCheckpointing: false, isRestored: true, id: '07b0060727f1', restoredAt },
      gauge: [{ name: 'dotnet_snapshot.restored', value: 1, tags }],
      activities: [{ operationName: 'restore', tagObjects: tags, status: 'Unset' }],
    });
  });

  test('names a hook that hangs', () => {
    expect(found.afterHangs).toEqual({
      failure: 'after-restore hook Hooks.Hang did not end within 1 s',
      activities: [{ operationName: 'restore', tagObjects: tags, status: 'Error' }],
    });
  });
});
