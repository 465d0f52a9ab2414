using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace DotnetSnapshot.Companion;

/// <summary>Answers the launcher's requests, one line each, over two inherited pipes.</summary>
internal static class ControlChannel
{
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int CloseOnExec = 1;        // FD_CLOEXEC

    /// <summary>
    /// Blocks in read between requests, so that a waiting companion costs nothing, and learns of a restore by the
    /// line that the launcher then writes.
    /// </summary>
    public static void Serve(Settings settings, Func<string, string> answer)
    {
        using StreamReader requests = new(Open(settings.RequestDescriptor, FileAccess.Read));
        using FileStream answers = Open(settings.AnswerDescriptor, FileAccess.Write);
        while (Next(requests) is { } request)
        {
            byte[] line = Encoding.UTF8.GetBytes(answer(request) + '\n');
            try
            {
                answers.Write(line);
            }
            catch (IOException)
            {
                // The launcher is gone; the app goes on without a companion.
                return;
            }
        }
    }

    private static string? Next(StreamReader requests)
    {
        try
        {
            return requests.ReadLine();
        }
        catch (IOException)
        {
            return null;
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
