using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static Kinds.Native;

namespace Kinds;

/// <summary>Descriptors of the kernel's own objects; timers are in <see cref="Clocks"/>.</summary>
internal static class Descriptors
{
    public static IEnumerable<Kind> Make() =>
    [
        new UnreadPipe(),
        new LargePipe(),
        new NonBlockingPipe(),
        new EndedPipe(),
        new EventCounter(),
        new EventSemaphore(),
        new SignalReader(),
        new Watcher(),
        new NestedWatcher(),
        new FolderWatcher(),
    ];
}

internal sealed class UnreadPipe : Kind
{
    private static readonly byte[] Content = Pattern.Of(10_000);
    private readonly (Descriptor Reader, Descriptor Writer) _pipe = Descriptor.Pipe();

    public UnreadPipe() : base("pipe with unread content") => _pipe.Writer.Write(Content);

    public override void Check()
    {
        _pipe.Writer.Write("the end"u8);
        Expect.Same([.. Content, .. "the end"u8], _pipe.Reader.ReadWhole(Content.Length + 7), "the content");
        Expect.That(!_pipe.Reader.Readable());
        _pipe.Writer.Write(Content);
    }
}

internal sealed class LargePipe : Kind
{
    private const int Capacity = 256 * 1024;
    private static readonly byte[] Content = Pattern.Of(200_000);
    private readonly (Descriptor Reader, Descriptor Writer) _pipe = Descriptor.Pipe();

    public LargePipe() : base("pipe with more capacity than others, and more content than those take")
    {
        Ok(Control(_pipe.Reader.Number, SetPipeSize, Capacity));
        _pipe.Writer.Write(Content);
    }

    public override void Check()
    {
        Expect.Equal(Capacity, Control(_pipe.Writer.Number, GetPipeSize, 0));
        Expect.Same(Content, _pipe.Reader.ReadWhole(Content.Length), "the content");
        _pipe.Writer.Write(Content);
    }
}

internal sealed class NonBlockingPipe() : Kind("empty pipe with O_NONBLOCK")
{
    private readonly (Descriptor Reader, Descriptor Writer) _pipe = Descriptor.Pipe(NonBlocking);

    public override void Check()
    {
        _pipe.Reader.ReadsNothing();
        _pipe.Writer.Write("now"u8);
        Expect.Same("now"u8, _pipe.Reader.Read(10));
    }
}

internal sealed class EndedPipe : Kind
{
    private static readonly byte[] Content = Pattern.Of(100);
    private Descriptor _reader;

    public EndedPipe() : base("pipe with unread content whose writing end is closed") => _reader = Ended();

    public override void Check()
    {
        Expect.Same(Content, _reader.ReadWhole(Content.Length + 1), "the content");
        _reader.Close();
        _reader = Ended();
    }

    private static Descriptor Ended()
    {
        (Descriptor reader, Descriptor writer) = Descriptor.Pipe();
        writer.Write(Content);
        writer.Close();
        return reader;
    }
}

internal sealed class EventCounter() : Kind("eventfd with a counter")
{
    private readonly Descriptor _event = new(Ok(EventDescriptor(7, NonBlocking | CloseOnExec)));

    public override void Check()
    {
        Expect.Equal(7UL, _event.ReadNumber());
        _event.ReadsNothing();
        _event.WriteNumber(7);
    }
}

internal sealed class EventSemaphore() : Kind("eventfd as a semaphore")
{
    private const int Semaphore = 1;
    private readonly Descriptor _event = new(Ok(EventDescriptor(3, NonBlocking | CloseOnExec | Semaphore)));

    public override void Check()
    {
        for (int number = 1; number <= 3; number++)
        {
            Expect.Equal(1UL, _event.ReadNumber());
        }

        _event.ReadsNothing();
        _event.WriteNumber(3);
    }
}

/// <summary>Signals that are blocked for a thread of its own, so that only the descriptor takes them.</summary>
internal sealed class SignalReader : Kind
{
    private const int Number = FirstFree, InformationBytes = 128;
    private readonly Worker _thread = new("kinds-signalfd");
    private readonly Descriptor _signals;

    public SignalReader() : base("signalfd")
    {
        _thread.Do(() => BlockSignal(Number));
        _signals = new(Ok(SignalDescriptor(-1, SignalSet.Of(Number), NonBlocking | CloseOnExec)));
    }

    public override void Check() => _thread.Do(() =>
    {
        _signals.ReadsNothing();
        Ok(SignalThread(Environment.ProcessId, ThreadNumber(), Number));
        byte[] information = _signals.Read(InformationBytes);
        Expect.Equal(InformationBytes, information.Length);
        Expect.Equal(Number, BinaryPrimitives.ReadInt32LittleEndian(information));
    });
}

/// <summary>An epoll descriptor that watches others for input.</summary>
internal sealed unsafe class Epoll
{
    /// <summary>struct epoll_event is packed on x86-64 alone.</summary>
    private static readonly int DataAt = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    public Descriptor Descriptor { get; } = new(Ok(Native.Epoll(CloseOnExec)));

    public void Add(Descriptor watched, ulong data)
    {
        const int add = 1;
        byte* entry = stackalloc byte[16];
        *(uint*)entry = 1;
        *(ulong*)(entry + DataAt) = data;
        Ok(EpollControl(Descriptor.Number, add, watched.Number, entry), "epoll_ctl");
    }

    /// <summary>The data of what has input now.</summary>
    public ulong[] Ready()
    {
        const int most = 8;
        byte* entries = stackalloc byte[16 * most];
        int count = (int)Ok(EpollWait(Descriptor.Number, entries, most, 0), "epoll_wait");
        ulong[] data = new ulong[count];
        for (int index = 0; index < count; index++)
        {
            data[index] = *(ulong*)(entries + (DataAt + 8) * index + DataAt);
        }

        return data;
    }
}

internal sealed class Watcher : Kind
{
    private const ulong Data = 0x1234_5678_9abc_def0;
    private readonly Descriptor _event = new(Ok(EventDescriptor(0, CloseOnExec)));
    private readonly Descriptor _silent = new(Ok(EventDescriptor(0, CloseOnExec)));
    private readonly Epoll _epoll = new();

    public Watcher() : base("epoll that watches an eventfd")
    {
        _epoll.Add(_event, Data);
        _epoll.Add(_silent, 1);
    }

    public override void Check()
    {
        Expect.Equal(0, _epoll.Ready().Length);
        _event.WriteNumber(1);
        Expect.Equal(Data, _epoll.Ready().Single());
        _event.ReadNumber();
    }
}

internal sealed class NestedWatcher : Kind
{
    private readonly Epoll _outer = new(), _inner = new();
    private readonly Descriptor _event = new(Ok(EventDescriptor(0, CloseOnExec)));

    public NestedWatcher() : base("epoll that watches an epoll")
    {
        _inner.Add(_event, 1);
        _outer.Add(_inner.Descriptor, 2);
    }

    public override void Check()
    {
        Expect.Equal(0, _outer.Ready().Length);
        _event.WriteNumber(1);
        Expect.Equal(2UL, _outer.Ready().Single());
        Expect.Equal(1UL, _inner.Ready().Single());
        _event.ReadNumber();
    }
}

internal sealed class FolderWatcher() : Kind("inotify without watches")
{
    private readonly Descriptor _watcher = new(Ok(Inotify(NonBlocking | CloseOnExec)));

    public override void Check()
    {
        const uint created = 0x100;
        _watcher.ReadsNothing();
        int watch = (int)Ok(InotifyAdd(_watcher.Number, "/tmp", created));
        string file = Path.GetTempFileName();
        Expect.That(_watcher.Read(1024).Length > 0);
        Ok(InotifyRemove(_watcher.Number, watch));
        File.Delete(file);
        while (_watcher.Readable())
        {
            _watcher.Read(1024);
        }
    }
}
