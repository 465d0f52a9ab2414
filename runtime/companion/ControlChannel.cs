using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DotnetSnapshot.Companion;

/// <summary>Answers the launcher's requests, one line each, over two inherited pipes.</summary>
internal static class ControlChannel
{
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int CloseOnExec = 1;        // FD_CLOEXEC

    /// <summary>Blocks in read between requests, so that a waiting companion costs nothing.</summary>
    public static void Serve(int requestDescriptor, int answerDescriptor)
    {
        try
        {
            using StreamReader requests = new(Open(requestDescriptor, FileAccess.Read));
            using StreamWriter answers = new(Open(answerDescriptor, FileAccess.Write)) { AutoFlush = true, NewLine = "\n" };
            while (requests.ReadLine() is { } request)
            {
                answers.WriteLine(Answer(request));
            }
        }
        catch (IOException)
        {
            // The launcher is gone; the app goes on without a companion.
        }
    }

    private static string Answer(string request)
    {
        try
        {
            return request switch
            {
                "jit" => JitActivity.Describe(),
                "runtime" => RuntimeDescription.Describe(),
                "prepare" => Preparation.Run(),
                _ => """{"error":"unknown request"}""",
            };
        }
#pragma warning disable CA1031 // Whatever goes wrong is the answer; it must not end the app.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return $$"""{"error":"{{error.GetType().Name}}"}""";
        }
    }

    private static FileStream Open(int descriptor, FileAccess access)
    {
        _ = Fcntl(descriptor, SetDescriptorFlags, CloseOnExec);
        return new FileStream(new SafeFileHandle(descriptor, ownsHandle: true), access, bufferSize: 1);
    }

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int Fcntl(int descriptor, int command, int argument);
}
