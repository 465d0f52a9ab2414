using static Kinds.Native;

namespace Kinds;

/// <summary>A file descriptor, used as a C program does.</summary>
internal sealed unsafe class Descriptor(nint number)
{
    public int Number { get; } = (int)number;

    public static Descriptor Open(string path, int flags, int mode = 0) =>
        new(Ok(Native.Open(path, flags | CloseOnExec, mode), $"open {path}"));

    /// <summary>Two ends as pipe2() gives them: to read from, and to write to.</summary>
    public static (Descriptor Reader, Descriptor Writer) Pipe(int flags = 0)
    {
        int* ends = stackalloc int[2];
        Ok(Native.Pipe(ends, flags | CloseOnExec), "pipe2");
        return (new(ends[0]), new(ends[1]));
    }

    public long Position
    {
        get => Ok(Seek(Number, 0, FromHere), "lseek");
        set => Ok(Seek(Number, (nint)value, FromStart), "lseek");
    }

    /// <summary>What the path of the descriptor says.</summary>
    public string Link => new FileInfo($"/proc/self/fd/{Number}").LinkTarget ?? "";

    public byte[] Read(int most)
    {
        byte[] content = new byte[most];
        fixed (byte* start = content)
        {
            return content[..(int)Ok(Native.Read(Number, start, most), "read")];
        }
    }

    /// <summary>Reads until so many bytes are there, or the end.</summary>
    public byte[] ReadWhole(int bytes)
    {
        List<byte> content = [];
        while (content.Count < bytes && Read(bytes - content.Count) is { Length: > 0 } part)
        {
            content.AddRange(part);
        }

        return [.. content];
    }

    public void Write(ReadOnlySpan<byte> content)
    {
        while (content.Length > 0)
        {
            fixed (byte* start = content)
            {
                content = content[(int)Ok(Native.Write(Number, start, content.Length), "write")..];
            }
        }
    }

    public ulong ReadNumber() => BitConverter.ToUInt64(Read(sizeof(ulong)));

    public void WriteNumber(ulong value) => Write(BitConverter.GetBytes(value));

    public bool Readable(int milliseconds = 0)
    {
        PollEntry entry = new() { Descriptor = Number, Asked = 1 };
        return Ok(Poll(ref entry, 1, milliseconds), "poll") == 1;
    }

    /// <summary>Expects that a read finds nothing and doesn't wait.</summary>
    public void ReadsNothing()
    {
        // A signalfd takes no less.
        const int bytes = 128;
        byte* buffer = stackalloc byte[bytes];
        Fails(TryAgain, Native.Read(Number, buffer, bytes), "read");
    }

    public void Close() => Ok(Native.Close(Number), "close");
}
