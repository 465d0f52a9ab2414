using System;
using System.Linq;
using System.Net;
using System.Net.Http;
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
    private string _protocol = "http", _host = "localhost";

    public AppHooks(Settings settings)
    {
        _settings = settings;
        AppDomain.CurrentDomain.AssemblyLoad += (_, loaded) => Meet(loaded.LoadedAssembly);
    }

    /// <summary>The package's, where the app uses it.</summary>
    public Assembly[] Assemblies => _bridge is null ? [] : [_bridge.Assembly];

    /// <summary>How the app's own paths are asked: a verb, `http`, `https` or `h2c`, and the Host; what is not given stays.</summary>
    public void AskBy(string[] words)
    {
        if (words is [_, { } protocol, { } host])
        {
            (_protocol, _host) = (protocol, host);
        }
    }

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

    /// <summary>A request to the app itself, which the gate lets through.</summary>
    private void Post(Uri? target, string input)
    {
        if (target is null)
        {
            return;
        }

        try
        {
            string status = _protocol == "http" ? PostInTheClear(target) : PostByClient(target).GetAwaiter().GetResult();
            if (status is not { Length: >= 3 } || status[0] != '2')
            {
                throw new HookException($"{input} ({target.AbsolutePath}) answered {status}");
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock })
        {
            throw new HookException($"{input} ({target.AbsolutePath}) did not answer within {_settings.HookDeadline.TotalSeconds} s");
        }
        catch (Exception error) when (error is SocketException or HttpRequestException)
        {
            throw new HookException($"{input} ({target.AbsolutePath}) can't be reached: {error.Message}");
        }
    }

    /// <summary>
    /// Status and reason of the answer. Written by hand: an HttpClient would add its pool, and tens of milliseconds at its
    /// first use.
    /// </summary>
    private string PostInTheClear(Uri target)
    {
        int timeout = (int)_settings.HookDeadline.TotalMilliseconds;
        using Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { SendTimeout = timeout, ReceiveTimeout = timeout };
        socket.Connect(IPAddress.Loopback, target.Port);
        socket.Send(Encoding.ASCII.GetBytes(
            $"POST {target.PathAndQuery} HTTP/1.1\r\nHost: {_host}\r\n{RequestGate.PassHeader}: {Gate.Pass}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        byte[] answer = new byte[512];
        int length = 0;
        for (int got = -1; got != 0 && length < answer.Length; length += got)
        {
            got = socket.Receive(answer, length, answer.Length - length, SocketFlags.None);
        }

        return string.Join(' ', Encoding.ASCII.GetString(answer, 0, length).Split("\r\n")[0].Split(' ').Skip(1));
    }

    /// <summary>The same over TLS, whose certificate is the app's own and not checked, or by HTTP/2 in the clear.</summary>
    private async Task<string> PostByClient(Uri target)
    {
        bool secure = _protocol == "https";
        using SocketsHttpHandler handler = new() { UseProxy = false };
#pragma warning disable CA5359 // The request does not leave the container.
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        using HttpClient client = new(handler) { Timeout = _settings.HookDeadline };
        using HttpRequestMessage request = new(HttpMethod.Post, new UriBuilder(target) { Scheme = secure ? "https" : "http" }.Uri)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = secure ? HttpVersionPolicy.RequestVersionOrLower : HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Host = _host;
        request.Headers.Add(RequestGate.PassHeader, Gate.Pass);
        using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).ConfigureAwait(false);
        return $"{(int)answer.StatusCode} {answer.ReasonPhrase}";
    }
}

/// <summary>A hook of the app failed; the message names it.</summary>
internal sealed class HookException(string message) : Exception(message);
