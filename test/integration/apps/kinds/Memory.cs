using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static Kinds.Native;

namespace Kinds;

/// <summary>Memory of every kind that mmap() makes, and the heaps.</summary>
internal static class Memory
{
    public const int Page = 4096;

    public static IEnumerable<Kind> Make()
    {
        List<Kind> kinds =
        [
            new SharedAnonymous(),
            new MemoryFile(),
            new TwoViews(),
            new SharedDeletedFile(),
            new DotnetMemoryMap(),
            new SharedImageFile(),
            new WrittenImageFile(),
            new NoAccess(),
            new ReadOnlyPages(),
            new Sparse(),
            new Locked(),
            new Advised("DONTFORK", 10, "dc"),
            new Advised("DONTDUMP", 16, "dd"),
            new Advised("WIPEONFORK", 18, "wf"),
            new LargeArray(),
            new NativeHeap(),
            new BreakHeap(),
            new Collected(),
        ];
        if (Guarded.IsSupported)
        {
            kinds.Add(new Guarded());
        }

        return kinds;
    }
}

/// <summary>A mapping that lasts.</summary>
internal sealed unsafe class Mapping(nint address, long bytes)
{
    private static readonly (Descriptor Reader, Descriptor Writer) Probe = Descriptor.Pipe();

    public nint Address { get; } = address;

    public static Mapping Of(long bytes, int protection, int flags, int descriptor = -1)
    {
        nint address = Map(0, (nint)bytes, protection, flags, descriptor, 0);
        return new(Ok(address, "mmap"), bytes);
    }

    /// <summary>Private memory that can be written.</summary>
    public static Mapping OfPages(int pages) =>
        Of((long)pages * Memory.Page, ProtectRead | ProtectWrite, Private | Anonymous);

    public Span<byte> Bytes(long from, int count) => new((void*)(Address + (nint)from), count);

    public Span<byte> All => Bytes(0, checked((int)bytes));

    /// <summary>The kernel reads the byte, so that a fault is an error of the call.</summary>
    public static bool CanRead(nint at)
    {
        bool can = Write(Probe.Writer.Number, (void*)at, 1) == 1;
        if (can)
        {
            Probe.Reader.Read(1);
        }
        else
        {
            Expect.Equal(BadAddress, Marshal.GetLastPInvokeError());
        }

        return can;
    }

    /// <summary>The kernel writes the byte that is there already.</summary>
    public static bool CanWrite(nint at)
    {
        Probe.Writer.Write([*(byte*)at]);
        bool can = Read(Probe.Reader.Number, (void*)at, 1) == 1;
        if (!can)
        {
            Expect.Equal(BadAddress, Marshal.GetLastPInvokeError());
            Probe.Reader.Read(1);
        }

        return can;
    }

    /// <summary>Flags of the mapping, two letters each, as /proc/self/smaps has them.</summary>
    public string[] Flags()
    {
        bool here = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words[0] == "VmFlags:" && here)
            {
                return words[1..];
            }

            if (!words[0].EndsWith(':'))
            {
                nint[] span = [.. words[0].Split('-').Select(word => nint.Parse(word, NumberStyles.HexNumber))];
                here = span[0] <= Address && Address < span[1];
            }
        }

        throw new WrongException("it is not mapped");
    }
}

internal sealed class SharedAnonymous : Kind
{
    private static readonly byte[] Content = Pattern.Of(5 * Memory.Page + 9);
    private readonly Mapping _memory = Mapping.Of(16 * Memory.Page, ProtectRead | ProtectWrite, Shared | Anonymous);

    public SharedAnonymous() : base("shared anonymous memory") => Content.CopyTo(_memory.Bytes(Memory.Page, Content.Length));

    public override void Check()
    {
        Expect.That(_memory.Flags().Contains("sh"));
        Expect.Same(new byte[Memory.Page], _memory.Bytes(0, Memory.Page), "the first page");
        Expect.Same(Content, _memory.Bytes(Memory.Page, Content.Length), "the content");
        _memory.All[^1] ^= 1;
    }
}

internal sealed class MemoryFile : Kind
{
    private const int SealShrink = 2, SealGrow = 4, At = 3;
    private static readonly byte[] Content = Pattern.Of(3 * Memory.Page);
    private readonly Descriptor _file = new(Ok(MemoryDescriptor("kinds", 3)));
    private readonly Mapping _memory;

    public MemoryFile() : base("memfd with seals, mapped shared")
    {
        _file.Write(Content);
        Ok(Control(_file.Number, AddSeals, SealShrink | SealGrow));
        _memory = Mapping.Of(Content.Length, ProtectRead | ProtectWrite, Shared, _file.Number);
        _file.Position = At;
    }

    public override void Check()
    {
        Expect.Equal(At, _file.Position);
        Expect.That(_file.Link.StartsWith("/memfd:kinds"));
        Expect.Equal(SealShrink | SealGrow, Control(_file.Number, GetSeals, 0));
        Expect.Same(Content, _memory.All, "the content");
        _memory.All[At] = 200;
        Expect.Equal(200, _file.Read(1)[0]);
        _memory.All[At] = Content[At];
        _file.Position = At;
    }
}

internal sealed class TwoViews : Kind
{
    private readonly Mapping _one, _other, _readOnly;

    public TwoViews() : base("memfd that is mapped three times and closed")
    {
        const int bytes = 2 * Memory.Page;
        Descriptor file = new(Ok(MemoryDescriptor("kinds-views", 1)));
        Ok(Truncate(file.Number, bytes));
        _one = Mapping.Of(bytes, ProtectRead | ProtectWrite, Shared, file.Number);
        _other = Mapping.Of(bytes, ProtectRead | ProtectWrite, Shared, file.Number);
        _readOnly = Mapping.Of(bytes, ProtectRead, Shared, file.Number);
        file.Close();
        Pattern.Of(bytes).CopyTo(_one.All);
    }

    public override void Check()
    {
        Expect.Same(Pattern.Of(2 * Memory.Page), _other.All, "the content");
        _one.All[5000] = 99;
        Expect.Equal(99, _other.All[5000], "what is written by one");
        _other.All[5000] = 98;
        Expect.Equal(98, _one.All[5000], "what is written by the other");
        Expect.Equal(98, _readOnly.All[5000], "what is seen by the third");
        Expect.That(!Mapping.CanWrite(_readOnly.Address));
        Pattern.Of(2 * Memory.Page).CopyTo(_one.All);
    }
}

internal sealed class SharedDeletedFile : Kind
{
    private static readonly byte[] Content = Pattern.Of(2 * Memory.Page);
    private readonly Descriptor _file = Files.Deleted("mapped", ReadWrite, Content);
    private readonly Mapping _memory;

    public SharedDeletedFile() : base("deleted file, mapped shared") =>
        _memory = Mapping.Of(Content.Length, ProtectRead | ProtectWrite, Shared, _file.Number);

    public override void Check()
    {
        Expect.Same(Content, _memory.All, "the content");
        _memory.All[7] = 99;
        _file.Position = 7;
        Expect.Equal(99, _file.Read(1)[0]);
        _memory.All[7] = Content[7];
    }
}

internal sealed class DotnetMemoryMap : Kind
{
    private static readonly byte[] Content = Pattern.Of(3 * Memory.Page);
    private readonly MemoryMappedFile _file = MemoryMappedFile.CreateNew(null, Content.Length);
    private readonly MemoryMappedViewAccessor _view;

    public DotnetMemoryMap() : base("MemoryMappedFile of .NET")
    {
        _view = _file.CreateViewAccessor();
        _view.WriteArray(0, Content, 0, Content.Length);
    }

    public override void Check()
    {
        using MemoryMappedViewStream other = _file.CreateViewStream();
        byte[] content = new byte[Content.Length];
        other.ReadExactly(content);
        Expect.Same(Content, content);
        other.Position = 9;
        other.WriteByte(99);
        other.Flush();
        Expect.Equal(99, _view.ReadByte(9));
        _view.Write(9, Content[9]);
    }
}

internal sealed class SharedImageFile : Kind
{
    private readonly Mapping _memory;

    public SharedImageFile() : base("file of the image, mapped shared to be read")
    {
        Descriptor file = Descriptor.Open(Files.Image, ReadOnly);
        _memory = Mapping.Of(3 * Memory.Page, ProtectRead, Shared, file.Number);
        file.Close();
    }

    public override void Check() =>
        Expect.Same(File.ReadAllBytes(Files.Image).AsSpan(0, 3 * Memory.Page), _memory.All, "the content");
}

internal sealed class WrittenImageFile : Kind
{
    private readonly Mapping _memory;

    public WrittenImageFile() : base("file of the image, mapped private, of which one page was written")
    {
        Descriptor file = Descriptor.Open(Files.Image, ReadOnly);
        _memory = Mapping.Of(3 * Memory.Page, ProtectRead | ProtectWrite, Private, file.Number);
        file.Close();
        Pattern.Of(Memory.Page).CopyTo(_memory.Bytes(Memory.Page, Memory.Page));
    }

    public override void Check()
    {
        byte[] expected = File.ReadAllBytes(Files.Image)[..(3 * Memory.Page)];
        Pattern.Of(Memory.Page).CopyTo(expected, Memory.Page);
        Expect.Same(expected, _memory.All, "the content");
        Expect.That(Mapping.CanWrite(_memory.Address + Memory.Page));
    }
}

internal sealed class NoAccess : Kind
{
    private readonly Mapping _memory = Mapping.OfPages(3);

    public NoAccess() : base("page that can't be accessed, between two that can")
    {
        _memory.All.Fill(7);
        Ok(Protect(_memory.Address + Memory.Page, Memory.Page, ProtectNone));
    }

    public override void Check()
    {
        Expect.That(Mapping.CanRead(_memory.Address + Memory.Page - 1));
        Expect.That(!Mapping.CanRead(_memory.Address + Memory.Page));
        Expect.That(!Mapping.CanRead(_memory.Address + 2 * Memory.Page - 1));
        Expect.That(Mapping.CanRead(_memory.Address + 2 * Memory.Page));
        // What it held before is there still.
        Ok(Protect(_memory.Address + Memory.Page, Memory.Page, ProtectRead));
        Expect.That(!_memory.All.ContainsAnyExcept((byte)7), "the content is kept");
        Ok(Protect(_memory.Address + Memory.Page, Memory.Page, ProtectNone));
    }
}

internal sealed class ReadOnlyPages : Kind
{
    private static readonly byte[] Content = Pattern.Of(2 * Memory.Page);
    private readonly Mapping _memory = Mapping.OfPages(2);

    public ReadOnlyPages() : base("private memory that can only be read")
    {
        Content.CopyTo(_memory.All);
        Ok(Protect(_memory.Address, Content.Length, ProtectRead));
    }

    public override void Check()
    {
        Expect.Same(Content, _memory.All, "the content");
        Expect.That(!Mapping.CanWrite(_memory.Address));
    }
}

internal sealed class Sparse : Kind
{
    private const long Size = 8L << 30, Middle = Size / 2;
    private readonly Mapping _memory =
        Mapping.Of(Size, ProtectRead | ProtectWrite, Private | Anonymous | NoReserve);

    public Sparse() : base("8 GiB of memory without reservation, used at both ends")
    {
        Pattern.Of(Memory.Page, 1).CopyTo(_memory.Bytes(0, Memory.Page));
        Pattern.Of(Memory.Page, 2).CopyTo(_memory.Bytes(Size - Memory.Page, Memory.Page));
    }

    public override void Check()
    {
        Expect.That(_memory.Flags().Contains("nr"));
        Expect.Same(Pattern.Of(Memory.Page, 1), _memory.Bytes(0, Memory.Page), "the first page");
        Expect.Same(Pattern.Of(Memory.Page, 2), _memory.Bytes(Size - Memory.Page, Memory.Page), "the last page");
        Expect.Same(new byte[Memory.Page], _memory.Bytes(Middle, Memory.Page), "a page between");
    }
}

internal sealed class Locked : Kind
{
    private static readonly byte[] Content = Pattern.Of(Memory.Page);
    private readonly Mapping _memory = Mapping.OfPages(1);

    public Locked() : base("page that is locked in memory")
    {
        Content.CopyTo(_memory.All);
        Ok(LockInMemory(_memory.Address, Memory.Page));
    }

    public override void Check()
    {
        Expect.That(_memory.Flags().Contains("lo"));
        Expect.Equal("4 kB", ProcessStatus.Of("self", "VmLck"));
        Expect.Same(Content, _memory.All, "the content");
    }
}

internal sealed class Advised : Kind
{
    private static readonly byte[] Content = Pattern.Of(2 * Memory.Page);
    private readonly Mapping _memory = Mapping.OfPages(2);
    private readonly string _flag;

    public Advised(string name, int advice, string flag) : base($"memory with the advice {name}")
    {
        _flag = flag;
        Content.CopyTo(_memory.All);
        Ok(Advise(_memory.Address, Content.Length, advice));
    }

    public override void Check()
    {
        Expect.Same(Content, _memory.All, "the content");
        Expect.That(_memory.Flags().Contains(_flag), $"its flag is {_flag}");
    }
}

/// <summary>A page that faults, inside a mapping: Linux 6.13 and newer.</summary>
internal sealed class Guarded : Kind
{
    private const int Install = 102;
    private readonly Mapping _memory = Mapping.OfPages(3);

    public Guarded() : base("guard page inside a mapping")
    {
        _memory.All.Fill(7);
        Ok(Advise(_memory.Address + Memory.Page, Memory.Page, Install));
    }

    public static bool IsSupported => Advise(Mapping.OfPages(1).Address, Memory.Page, Install) == 0;

    public override void Check()
    {
        Expect.That(!Mapping.CanRead(_memory.Address + Memory.Page));
        Expect.Equal(7, _memory.Bytes(Memory.Page - 1, 1)[0], "the byte before");
        Expect.Equal(7, _memory.Bytes(2 * Memory.Page, 1)[0], "the byte behind");
    }
}

internal sealed class LargeArray() : Kind("array of 64 MiB")
{
    private readonly byte[] _array = Pattern.Of(64 << 20);

    public override void Check()
    {
        byte[] expected = Pattern.Of(_array.Length);
        Expect.Same(expected, _array, "the content");
    }
}

internal sealed unsafe class NativeHeap : Kind
{
    private static readonly int[] Sizes = [24, 1000, 100_000, 1_000_000];
    private readonly nint[] _blocks = [.. Sizes.Select(size => (nint)NativeMemory.Alloc((nuint)size))];

    public NativeHeap() : base("blocks of the C library's heap")
    {
        for (int index = 0; index < Sizes.Length; index++)
        {
            Pattern.Of(Sizes[index]).CopyTo(new Span<byte>((void*)_blocks[index], Sizes[index]));
        }
    }

    public override void Check()
    {
        for (int index = 0; index < Sizes.Length; index++)
        {
            int size = Sizes[index];
            void* grown = NativeMemory.Realloc((void*)_blocks[index], (nuint)size * 2);
            _blocks[index] = (nint)grown;
            Expect.Same(Pattern.Of(size), new ReadOnlySpan<byte>(grown, size), "the content");
            _blocks[index] = (nint)NativeMemory.Realloc(grown, (nuint)size);
        }

        nint[] more = [.. Enumerable.Range(1, 1000).Select(size => (nint)NativeMemory.AllocZeroed((nuint)size))];
        foreach (nint block in more)
        {
            NativeMemory.Free((void*)block);
        }
    }
}

internal sealed class BreakHeap() : Kind("end of the heap, which grows")
{
    public override void Check()
    {
        nint end = Break(0);
        Expect.Equal(end, KernelBreak(), "what the kernel has as the end");
        // The C library copes with others that move the end.
        nint grown = Break(Memory.Page);
        Expect.Equal(end, grown);
        Expect.That(Mapping.CanRead(grown) && Mapping.CanWrite(grown + Memory.Page - 1));
        Expect.Equal(grown + Memory.Page, KernelBreak(), "the new end");
    }
}

internal sealed class Collected() : Kind("garbage collection, weak references and finalizers")
{
    private static int _finalized;
    private readonly GCHandle _pinned = GCHandle.Alloc(Pattern.Of(100), GCHandleType.Pinned);

    public override void Check()
    {
        nint before = _pinned.AddrOfPinnedObject();
        int finalized = Volatile.Read(ref _finalized);
        WeakReference weak = Forgotten();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Expect.That(!weak.IsAlive);
        Expect.That(Volatile.Read(ref _finalized) > finalized);
        Expect.Equal(before, _pinned.AddrOfPinnedObject());
        Expect.Same(Pattern.Of(100), (byte[])_pinned.Target!, "the content");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Forgotten() => new(new Noted());

    private sealed class Noted
    {
        ~Noted() => Interlocked.Increment(ref _finalized);
    }
}
