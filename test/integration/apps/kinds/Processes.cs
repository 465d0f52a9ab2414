using System.Diagnostics;
using static Kinds.Native;

namespace Kinds;

/// <summary>What belongs to the process as a whole.</summary>
internal static class Processes
{
    public static IEnumerable<Kind> Make(Worker main) =>
    [
        new Numbers(),
        new CommandLine(),
        new CreationMask(),
        new WorkingFolder(),
        new OpenFileLimit(),
        new ProcessSwitch("reaper of orphaned processes", 36, 37, 1),
        new ProcessSwitch("no transparent huge pages", 41, 42, 1, asValue: true),
        new DeathSignal(main),
        new Child(),
        new ChildOutput(),
        new ChildInput(),
    ];
}

/// <summary>Fields of /proc/…/status.</summary>
internal static class ProcessStatus
{
    public static string Of(string process, string field)
    {
        string prefix = $"{field}:";
        return File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith(prefix))[prefix.Length..].Trim();
    }
}

internal sealed class Numbers() : Kind("numbers of the process, its session and its group")
{
    private readonly int _process = Environment.ProcessId, _session = Session(0), _group = ProcessGroup(0);

    public override void Check()
    {
        Expect.Equal(_process, ProcessNumber());
        Expect.Equal($"{_process}", new FileInfo("/proc/self").LinkTarget);
        Expect.Equal(_session, Session(0));
        Expect.Equal(_group, ProcessGroup(0));
    }
}

internal sealed class CommandLine() : Kind("command line, environment and path of the program")
{
    private const string Variable = "PATH";
    private readonly byte[] _words = File.ReadAllBytes("/proc/self/cmdline");
    private readonly string? _program = Environment.ProcessPath;
    private readonly string[] _arguments = Environment.GetCommandLineArgs();

    public override void Check()
    {
        Expect.Same(_words, File.ReadAllBytes("/proc/self/cmdline"));
        Expect.Equal(_program, Environment.ProcessPath);
        Expect.That(_arguments.SequenceEqual(Environment.GetCommandLineArgs()));
        // As it was when the process began.
        Expect.That(File.ReadAllText("/proc/self/environ").Split('\0').Any(word => word.StartsWith($"{Variable}=")));
    }
}

internal sealed class CreationMask : Kind
{
    private const int Mask = 0x17;

    public CreationMask() : base("umask") => SetCreationMask(Mask);

    public override void Check()
    {
        Expect.Equal("0027", ProcessStatus.Of("self", "Umask"));
        string path = $"/tmp/kinds-{Environment.ProcessId}-umask";
        File.WriteAllText(path, "");
        UnixFileMode mode = File.GetUnixFileMode(path);
        File.Delete(path);
        Expect.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, mode);
    }
}

internal sealed class WorkingFolder : Kind
{
    private const string Folder = "/usr/lib";

    public WorkingFolder() : base("working folder") => Environment.CurrentDirectory = Folder;

    public override void Check()
    {
        Expect.Equal(Folder, Environment.CurrentDirectory);
        Expect.That(File.Exists(Files.BaseFile));
    }
}

/// <summary>.NET raises it as far as it may.</summary>
internal sealed class OpenFileLimit() : Kind("limit of open files")
{
    public override void Check()
    {
        const int openFiles = 7;
        Ok(GetLimit(openFiles, out Limit limit));
        Expect.Equal(limit.Hard, limit.Soft);
    }
}

/// <summary>What prctl() switches on, and tells.</summary>
internal sealed unsafe class ProcessSwitch : Kind
{
    private readonly int _get, _value;
    private readonly bool _asValue;

    public ProcessSwitch(string name, int set, int get, int value, bool asValue = false) : base(name)
    {
        (_get, _value, _asValue) = (get, value, asValue);
        Ok(ControlProcess(set, value, 0, 0, 0));
    }

    public override void Check()
    {
        int value = 0;
        int result = (int)Ok(ControlProcess(_get, _asValue ? 0 : (nint)(&value), 0, 0, 0));
        Expect.Equal(_value, _asValue ? result : value);
    }
}

internal sealed unsafe class DeathSignal : Kind
{
    private const int Set = 1, Get = 2;
    private readonly Worker _main;

    /// <summary>The signal is one that is ignored.</summary>
    public DeathSignal(Worker main) : base("signal at the death of the parent")
    {
        _main = main;
        Ok(ControlProcess(Set, User2, 0, 0, 0));
    }

    public override void Check() => _main.Do(() =>
    {
        int signal = 0;
        Ok(ControlProcess(Get, (nint)(&signal), 0, 0, 0));
        Expect.Equal(User2, signal);
    });
}

internal sealed class Child() : Kind("child process and its exit code")
{
    public override void Check()
    {
        foreach ((string program, int code) in (ReadOnlySpan<(string, int)>)[("/bin/true", 0), ("/bin/false", 1)])
        {
            using Process child = Process.Start(program);
            Expect.That(child.WaitForExit(10_000), $"{program} ends");
            Expect.Equal(code, child.ExitCode);
        }
    }
}

internal sealed class ChildOutput() : Kind("output of a child process")
{
    public override void Check()
    {
        ProcessStartInfo start = new("/bin/echo", ["hi"]) { RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;
        Expect.Equal("hi\n", child.StandardOutput.ReadToEnd());
        child.WaitForExit();
        Expect.Equal(0, child.ExitCode);
    }
}

internal sealed class ChildInput() : Kind("child process that answers")
{
    public override void Check()
    {
        ProcessStartInfo start = new("/bin/cat") { RedirectStandardInput = true, RedirectStandardOutput = true };
        using Process child = Process.Start(start)!;
        child.StandardInput.Write("there and back");
        child.StandardInput.Close();
        Expect.Equal("there and back", child.StandardOutput.ReadToEnd());
        Expect.That(child.WaitForExit(10_000));
    }
}
