using System.Text;
using Microsoft.Win32.SafeHandles;
using static Kinds.Native;

namespace Kinds;

/// <summary>Open files, folders and devices.</summary>
internal static class Files
{
    /// <summary>A file of the app, of some pages.</summary>
    public static readonly string Image = typeof(Files).Assembly.Location;

    /// <summary>A file of the base image, and its folder.</summary>
    public const string BaseFolder = "/usr/lib", BaseFile = "os-release";

    public static IEnumerable<Kind> Make() =>
    [
        new FileAtPosition(),
        new DuplicatedDescriptor(),
        new HighDescriptor(),
        new SharedLock(),
        new ExclusiveLock(),
        new ProcessLock(),
        new OpenFileLock(),
        new DeletedFile(),
        new EmptyDeletedFile(),
        new AppendedFile(),
        new OpenFolder(),
        new CloseOnExecFlag(),
        new StatusFlags(),
        new NullDevice(),
        new RandomDevice(),
        new ZeroDevice(),
        new FullDevice(),
    ];

    /// <summary>A new file in /tmp without a name.</summary>
    public static Descriptor Deleted(string name, int flags, ReadOnlySpan<byte> content)
    {
        string path = $"/tmp/kinds-{Environment.ProcessId}-{name}";
        Descriptor file = Descriptor.Open(path, Create | Exclusive | flags, 0x180);
        file.Write(content);
        File.Delete(path);
        return file;
    }
}

internal sealed class FileAtPosition : Kind
{
    private const int At = 5000;
    private readonly Descriptor _file = Descriptor.Open(Files.Image, ReadOnly);

    public FileAtPosition() : base("file of the image, read up to a position") => _file.Position = At;

    public override void Check()
    {
        Expect.Equal(At, _file.Position);
        Expect.Same(File.ReadAllBytes(Files.Image).AsSpan(At, 100), _file.Read(100), "the content");
        Expect.Equal(At + 100, _file.Position);
        _file.Position = At;
    }
}

internal sealed class DuplicatedDescriptor : Kind
{
    private readonly Descriptor _one = Descriptor.Open(Files.Image, ReadOnly);
    private readonly Descriptor _copy;
    private readonly Descriptor _other = Descriptor.Open(Files.Image, ReadOnly);

    public DuplicatedDescriptor() : base("duplicate of a descriptor, which shares its position")
    {
        _copy = new(Ok(Duplicate(_one.Number)));
        _one.Position = 70;
        _other.Position = 7;
    }

    public override void Check()
    {
        Expect.Equal(70, _copy.Position);
        _copy.Position = 80;
        Expect.Equal(80, _one.Position);
        Expect.Equal(7, _other.Position);
        _one.Position = 70;
    }
}

internal sealed class HighDescriptor : Kind
{
    private const int Least = 700;
    private readonly Descriptor _high;

    public HighDescriptor() : base("descriptor of a high number")
    {
        Descriptor low = Descriptor.Open(Files.Image, ReadOnly);
        _high = new(Ok(Control(low.Number, DuplicateFrom, Least)));
        low.Close();
    }

    public override void Check()
    {
        Expect.That(_high.Number >= Least);
        Expect.Same("MZ"u8, _high.Read(2));
        _high.Position = 0;
    }
}

internal sealed class SharedLock() : Kind("FileStream for reading, with .NET's lock")
{
    private static readonly string Path = $"{Files.BaseFolder}/{Files.BaseFile}";
    private readonly FileStream _file = new(Path, FileMode.Open, FileAccess.Read);

    public override void Check()
    {
        Expect.Throws<IOException>(() => new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.None).Dispose());
        new FileStream(Path, FileMode.Open, FileAccess.Read).Dispose();
        _file.Position = 0;
        byte[] content = new byte[_file.Length];
        _file.ReadExactly(content);
        Expect.Same(File.ReadAllBytes(Path), content);
    }
}

internal sealed class ExclusiveLock() : Kind("FileStream that shares its file with none")
{
    private static readonly string Path = System.IO.Path.ChangeExtension(Files.Image, "runtimeconfig.json");
    private readonly FileStream _file = new(Path, FileMode.Open, FileAccess.Read, FileShare.None);

    public override void Check()
    {
        Expect.Throws<IOException>(() => new FileStream(Path, FileMode.Open, FileAccess.Read).Dispose());
        _file.Position = 0;
        using StreamReader reader = new(_file, leaveOpen: true);
        Expect.That(reader.ReadToEnd().Contains("runtimeOptions"));
    }
}

/// <summary>A lock of some bytes of a file. It must be opened by no one else: any close would end a lock of the process.</summary>
internal abstract unsafe class RangeLock : Kind
{
    private const int Start = 10, Bytes = 20;
    private readonly Descriptor _holder, _other;
    private readonly int _ask, _owner;

    protected RangeLock(string name, string file, int set, int ask, int owner) : base(name)
    {
        (_ask, _owner) = (ask, owner);
        string path = Path.ChangeExtension(Files.Image, file);
        (_holder, _other) = (Descriptor.Open(path, ReadOnly), Descriptor.Open(path, ReadOnly));
        FileLock range = new() { Type = LockForReading, Start = Start, Bytes = Bytes };
        Ok(Control(_holder.Number, set, (nint)(&range)));
    }

    public override void Check()
    {
        FileLock wanted = new() { Type = LockForWriting };
        Ok(Control(_other.Number, _ask, (nint)(&wanted)));
        Expect.Equal(LockForReading, wanted.Type);
        Expect.Equal((Start, Bytes, _owner), (wanted.Start, wanted.Bytes, wanted.Process));
    }
}

internal sealed class ProcessLock() : RangeLock(
    "lock of a part of a file, of the process", "deps.json", SetLock, GetOpenFileLock, Environment.ProcessId);

internal sealed class OpenFileLock() : RangeLock(
    "lock of a part of a file, of the open file", "pdb", SetOpenFileLock, GetLock, -1);

internal sealed class DeletedFile : Kind
{
    private const int At = 5000;
    private static readonly byte[] Content = Pattern.Of(100_000);
    private readonly Descriptor _file = Files.Deleted("deleted", ReadWrite, Content);

    public DeletedFile() : base("deleted file with content") => _file.Position = At;

    public override void Check()
    {
        Expect.Equal(At, _file.Position);
        Expect.That(_file.Link.EndsWith(" (deleted)"));
        using SafeFileHandle handle = new(_file.Number, ownsHandle: false);
        Expect.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(handle));
        _file.Position = 0;
        Expect.Same(Content, _file.ReadWhole(Content.Length + 1), "the content");
        _file.Position = At;
        _file.Write(Content.AsSpan(At, 10));
        _file.Position = At;
    }
}

internal sealed class EmptyDeletedFile() : Kind("deleted file without content")
{
    private readonly Descriptor _file = Files.Deleted("empty", ReadWrite, []);

    public override void Check()
    {
        Expect.Equal(0, _file.Read(1).Length, "the length of the content");
        _file.Write("some"u8);
        _file.Position = 0;
        Expect.Same("some"u8, _file.Read(10));
        Ok(Truncate(_file.Number, 0));
        _file.Position = 0;
    }
}

internal sealed class AppendedFile() : Kind("file open for appending")
{
    private readonly Descriptor _file = Files.Deleted("appended", ReadWrite | Append, "first "u8);

    public override void Check()
    {
        _file.Position = 0;
        _file.Write("last"u8);
        _file.Position = 0;
        Expect.Equal("first last", Encoding.UTF8.GetString(_file.Read(100)), "the content");
        Ok(Truncate(_file.Number, "first ".Length));
    }
}

internal sealed class OpenFolder() : Kind("open folder")
{
    private readonly Descriptor _folder = Descriptor.Open(Files.BaseFolder, ReadOnly);

    public override void Check()
    {
        Descriptor file = new(Ok(OpenAt(_folder.Number, Files.BaseFile, ReadOnly | CloseOnExec, 0)));
        Expect.That(file.Read(10).Length > 0);
        file.Close();
    }
}

internal sealed class CloseOnExecFlag() : Kind("descriptors with and without O_CLOEXEC")
{
    private readonly int _with = Descriptor.Open("/dev/null", ReadOnly).Number;
    private readonly int _without = (int)Ok(Open("/dev/null", ReadOnly, 0));
    private readonly int _copyWithout = (int)Ok(Duplicate((int)Ok(Open("/dev/null", ReadOnly | CloseOnExec, 0))));

    public override void Check()
    {
        Expect.Equal(1, Control(_with, GetDescriptorFlags, 0));
        Expect.Equal(0, Control(_without, GetDescriptorFlags, 0));
        Expect.Equal(0, Control(_copyWithout, GetDescriptorFlags, 0));
    }
}

internal sealed class StatusFlags : Kind
{
    private readonly (int Number, int Flags)[] _files;

    public StatusFlags() : base("flags of open files")
    {
        int[] flags = [ReadOnly, WriteOnly | Append, ReadWrite | NonBlocking, WriteOnly | Append | NonBlocking];
        _files = [.. flags.Select(value => (Descriptor.Open("/dev/null", value).Number, value))];
    }

    public override void Check()
    {
        const int compared = 3 | Append | NonBlocking;
        foreach ((int number, int flags) in _files)
        {
            Expect.Equal(flags, Control(number, GetFlags, 0) & compared, $"F_GETFL of {number}");
        }
    }
}

internal sealed class NullDevice() : Kind("/dev/null")
{
    private readonly Descriptor _device = Descriptor.Open("/dev/null", ReadWrite);

    public override void Check()
    {
        _device.Write("away"u8);
        Expect.Equal(0, _device.Read(10).Length);
    }
}

internal sealed class RandomDevice() : Kind("/dev/urandom")
{
    private readonly Descriptor _device = Descriptor.Open("/dev/urandom", ReadOnly);

    public override void Check() => Expect.That(!_device.Read(16).AsSpan().SequenceEqual(_device.Read(16)));
}

internal sealed class ZeroDevice() : Kind("/dev/zero")
{
    private readonly Descriptor _device = Descriptor.Open("/dev/zero", ReadOnly);

    public override void Check() => Expect.Same(new byte[100], _device.Read(100));
}

internal sealed unsafe class FullDevice() : Kind("/dev/full")
{
    private readonly Descriptor _device = Descriptor.Open("/dev/full", WriteOnly);

    public override void Check()
    {
        byte one = 1;
        Fails(NoSpace, Write(_device.Number, &one, 1));
    }
}
