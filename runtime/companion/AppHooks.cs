using System;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using System.Threading.Tasks;

namespace DotnetSnapshot.Companion;

/// <summary>What the app wants done around a checkpoint: by the package DotnetSnapshot, and by the paths of its own that it names.</summary>
internal sealed class AppHooks
{
    private const string Package = "DotnetSnapshot";

    private readonly Settings _settings;
    private Type? _bridge;

    public AppHooks(Settings settings)
    {
        _settings = settings;
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => Meet(loaded.LoadedAssembly);
    }

    /// <summary>The package's, where the app uses it.</summary>
    public Assembly[] Assemblies => _bridge is null ? [] : [_bridge.Assembly];

    /// <summary>Throws <see cref="HookException"/> where a hook fails.</summary>
    public void RunBeforeCheckpoint()
    {
        Run("RunBeforeCheckpoint", _settings.HookDeadline);
        Post(_settings.BeforeCheckpoint, "before-checkpoint-path");
    }

    /// <summary>Throws <see cref="HookException"/> where a hook fails.</summary>
    public void RunAfterRestore(string snapshot)
    {
        _bridge?.GetMethod("MarkRestored", BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, [snapshot, DateTimeOffset.UtcNow]);
        Run("RunAfterRestore", _settings.HookDeadline);
        Post(_settings.AfterRestore, "after-restore-path");
    }

    /// <summary>Runs the app's warmup actions once. Throws <see cref="HookException"/> where one fails.</summary>
    public string RunWarmups(AppHost host)
    {
        int count = 0;
        if (_bridge is not null && host.Services is { } services)
        {
            count = (int)_bridge.GetProperty("WarmupCount", BindingFlags.Static | BindingFlags.NonPublic)!.GetValue(null)!;
            Run("RunWarmups", services, _settings.HookDeadline);
        }

        return $$"""{"ran":{{count}}}""";
    }

    private void Meet(Assembly assembly)
    {
        if (assembly.GetName().Name == Package && assembly.GetType($"{Package}.CompanionBridge") is { } bridge)
        {
            _bridge = bridge;
            bridge.GetMethod("MarkCheckpointable", BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, null);
        }
    }

    private void Run(string method, params object[] arguments)
    {
        if (_bridge?.GetMethod(method, BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, arguments) is Task<string?> hooks
            && hooks.GetAwaiter().GetResult() is { } failure)
        {
            throw new HookException(failure);
        }
    }

    /// <summary>
    /// A request to the app itself, which the gate lets through. Written by hand: an HttpClient would add its pool,
    /// and tens of milliseconds at its first use.
    /// </summary>
    private void Post(Uri? target, string input)
    {
        if (target is null)
        {
            return;
        }

        try
        {
            int timeout = (int)_settings.HookDeadline.TotalMilliseconds;
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { SendTimeout = timeout, ReceiveTimeout = timeout };
            socket.Connect(IPAddress.Loopback, target.Port);
            socket.Send(Encoding.ASCII.GetBytes(
                $"POST {target.PathAndQuery} HTTP/1.1\r\nHost: localhost\r\n{RequestGate.PassHeader}: {Gate.Pass}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
            byte[] answer = new byte[512];
            int length = 0;
            for (int got = -1; got != 0 && length < answer.Length; length += got)
            {
                got = socket.Receive(answer, length, answer.Length - length, SocketFlags.None);
            }

            string[] status = Encoding.ASCII.GetString(answer, 0, length).Split("\r\n")[0].Split(' ');
            if (status is not [_, { Length: 3 } code, ..] || code[0] != '2')
            {
                throw new HookException($"{input} ({target.AbsolutePath}) answered {string.Join(' ', status.Skip(1))}");
            }
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            throw new HookException($"{input} ({target.AbsolutePath}) did not answer within {_settings.HookDeadline.TotalSeconds} s");
        }
        catch (SocketException error)
        {
            throw new HookException($"{input} ({target.AbsolutePath}) can't be reached: {error.Message}");
        }
    }
}

/// <summary>A hook of the app failed; the message names it.</summary>
internal sealed class HookException(string message) : Exception(message);
