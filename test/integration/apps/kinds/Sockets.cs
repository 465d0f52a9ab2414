using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using static Kinds.Native;

namespace Kinds;

/// <summary>Sockets that are connected to nothing outside of the process.</summary>
internal static class Sockets
{
    public static IEnumerable<Kind> Make()
    {
        List<Kind> kinds =
        [
            new UnixPair("stream", 1),
            new UnixPair("datagram", 2),
            new UnixPair("sequenced packet", 5),
            new ShutUnixPair(),
            new UnixListener(),
            new AbstractListener(),
            new UnixDatagrams(),
            new UnusedSockets(),
            new TcpListener4(),
            new BoundUdp(),
            new ConnectedUdp(),
            new UnboundUdp(),
            new RouteSocket(),
            new NetworkChanges(),
        ];
        if (Socket.OSSupportsIPv6)
        {
            kinds.Add(new TcpListener6());
        }

        return kinds;
    }

    /// <summary>Connects to a listener and has bytes go both ways.</summary>
    public static void Exchange(Socket listener, EndPoint? at = null)
    {
        EndPoint address = at ?? listener.LocalEndPoint!;
        using Socket client = new(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(address);
        using Socket server = listener.Accept();
        Send(client, server, "question");
        Send(server, client, "answer");
    }

    public static void Send(Socket from, Socket to, string text)
    {
        from.Send(Encoding.UTF8.GetBytes(text));
        Arrives(to, text);
    }

    public static void Arrives(Socket at, string text)
    {
        byte[] buffer = new byte[100];
        Expect.That(at.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectRead), $"{text} arrives");
        Expect.Equal(text, Encoding.UTF8.GetString(buffer, 0, at.Receive(buffer)), "what arrives");
    }
}

/// <summary>What the options of a socket are, to compare with later.</summary>
internal sealed unsafe class Options
{
    private const int General = 1, Ip = 0, Tcp = 6, Ip6 = 41, MostBytes = 16;

    private static readonly (int Level, int Name, string Text)[] Asked =
    [
        (General, 2, "SO_REUSEADDR"), (General, 15, "SO_REUSEPORT"), (General, 9, "SO_KEEPALIVE"),
        (General, 6, "SO_BROADCAST"), (General, 7, "SO_SNDBUF"), (General, 8, "SO_RCVBUF"), (General, 13, "SO_LINGER"),
        (General, 20, "SO_RCVTIMEO"), (General, 21, "SO_SNDTIMEO"), (General, 12, "SO_PRIORITY"),
        (Ip, 1, "IP_TOS"), (Ip, 2, "IP_TTL"), (Tcp, 1, "TCP_NODELAY"), (Tcp, 4, "TCP_KEEPIDLE"),
        (Tcp, 5, "TCP_KEEPINTVL"), (Tcp, 6, "TCP_KEEPCNT"), (Ip6, 26, "IPV6_V6ONLY"),
    ];

    private readonly int _socket;
    private readonly string?[] _values;

    public Options(Socket socket)
    {
        _socket = (int)socket.Handle;
        _values = [.. Asked.Select(Value)];
    }

    public void Check()
    {
        foreach (((int, int, string Text) option, string? value) in Asked.Zip(_values))
        {
            Expect.Equal(value, Value(option), option.Text);
        }
    }

    /// <summary>Null where the socket has no such option.</summary>
    private string? Value((int Level, int Name, string) option)
    {
        byte* value = stackalloc byte[MostBytes];
        int bytes = MostBytes;
        bool has = GetSocketOption(_socket, option.Level, option.Name, value, &bytes) == 0;
        return has ? Convert.ToHexString(new ReadOnlySpan<byte>(value, bytes)) : null;
    }
}

internal sealed unsafe class UnixPair : Kind
{
    private readonly Descriptor _one, _other;

    public UnixPair(string typeName, int type) : base($"pair of Unix sockets: {typeName}")
    {
        int* ends = stackalloc int[2];
        Ok(SocketPair((int)AddressFamily.Unix, type | CloseOnExec, 0, ends), "socketpair");
        (_one, _other) = (new(ends[0]), new(ends[1]));
    }

    public override void Check()
    {
        _one.Write("there"u8);
        Expect.Same("there"u8, _other.Read(100));
        _other.Write("and back"u8);
        Expect.Same("and back"u8, _one.Read(100));
        Expect.That(!_one.Readable() && !_other.Readable());
    }
}

internal sealed unsafe class ShutUnixPair : Kind
{
    private const int Stream = 1, Writing = 1;
    private readonly Descriptor _one, _other;

    public ShutUnixPair() : base("pair of Unix sockets of which one was shut for writing")
    {
        int* ends = stackalloc int[2];
        Ok(SocketPair((int)AddressFamily.Unix, Stream | CloseOnExec, 0, ends), "socketpair");
        (_one, _other) = (new(ends[0]), new(ends[1]));
        Ok(Shutdown(_one.Number, Writing));
    }

    public override void Check()
    {
        Expect.That(_other.Readable());
        Expect.Equal(0, _other.Read(1).Length);
        _other.Write("one way"u8);
        Expect.Same("one way"u8, _one.Read(100));
    }
}

internal sealed class UnixListener : Kind
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
    private static readonly string Path = $"/tmp/kinds-{Environment.ProcessId}.sock";
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public UnixListener() : base("listening Unix socket with a path")
    {
        File.Delete(Path);
        _listener.Bind(new UnixDomainSocketEndPoint(Path));
        _listener.Listen();
        File.SetUnixFileMode(Path, Mode);
    }

    public override void Check()
    {
        Sockets.Exchange(_listener, new UnixDomainSocketEndPoint(Path));
        Expect.Equal(Mode, File.GetUnixFileMode(Path));
    }
}

internal sealed class AbstractListener : Kind
{
    private static readonly UnixDomainSocketEndPoint Address = new($"\0kinds-{Environment.ProcessId}");
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    public AbstractListener() : base("listening Unix socket with an abstract name")
    {
        _listener.Bind(Address);
        _listener.Listen(5);
    }

    public override void Check() => Sockets.Exchange(_listener, Address);
}

internal sealed class UnixDatagrams : Kind
{
    private static readonly UnixDomainSocketEndPoint Address = new($"\0kinds-datagrams-{Environment.ProcessId}");
    private readonly Socket _bound = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Socket _connected = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

    public UnixDatagrams() : base("Unix datagram sockets: bound, and connected to that")
    {
        _bound.Bind(Address);
        _connected.Connect(Address);
    }

    public override void Check() => Sockets.Send(_connected, _bound, "datagram");
}

internal sealed class UnusedSockets() : Kind("sockets that are neither bound nor connected yet")
{
    private Socket _unix = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private Socket _tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public override void Check()
    {
        _unix.Bind(new UnixDomainSocketEndPoint($"\0kinds-unused-{Environment.ProcessId}"));
        _tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        foreach (Socket socket in (Socket[])[_unix, _tcp])
        {
            socket.Listen();
            Sockets.Exchange(socket);
            socket.Dispose();
        }

        _unix = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    }
}

internal sealed class TcpListener4 : Kind
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Options _options;

    public TcpListener4() : base("listening TCP socket with options, IPv4")
    {
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        _listener.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 77);
        _listener.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 7);
        _listener.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        _listener.NoDelay = true;
        _listener.ReceiveBufferSize = 50_000;
        _listener.SendBufferSize = 60_000;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(9);
        _options = new(_listener);
    }

    public override void Check()
    {
        _options.Check();
        Sockets.Exchange(_listener);
    }
}

internal sealed class TcpListener6 : Kind
{
    private readonly Socket _listener = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
    private readonly Options _options;

    public TcpListener6() : base("listening TCP socket, IPv6 and IPv4")
    {
        _listener.DualMode = true;
        _listener.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        _listener.Listen();
        _options = new(_listener);
    }

    public override void Check()
    {
        int port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _options.Check();
        Sockets.Exchange(_listener, new IPEndPoint(IPAddress.Loopback, port));
        // Not every container has an address of IPv6, even on its loopback.
        bool has = NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .Any(address => address.Address.Equals(IPAddress.IPv6Loopback));
        if (has)
        {
            Sockets.Exchange(_listener, new IPEndPoint(IPAddress.IPv6Loopback, port));
        }
    }
}

internal sealed class BoundUdp : Kind
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Options _options;

    public BoundUdp() : base("bound UDP socket with options")
    {
        _socket.EnableBroadcast = true;
        _socket.ReceiveBufferSize = 70_000;
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _options = new(_socket);
    }

    public override void Check()
    {
        _options.Check();
        _socket.SendTo("to myself"u8, _socket.LocalEndPoint!);
        Sockets.Arrives(_socket, "to myself");
    }
}

internal sealed class ConnectedUdp : Kind
{
    private readonly Socket _one = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _other = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public ConnectedUdp() : base("UDP sockets that are connected to one another")
    {
        _one.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _one.Connect(_other.LocalEndPoint!);
        _other.Connect(_one.LocalEndPoint!);
    }

    public override void Check()
    {
        Sockets.Send(_one, _other, "there");
        Sockets.Send(_other, _one, "and back");
    }
}

internal sealed class UnboundUdp() : Kind("UDP socket that is not bound")
{
    private Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    public override void Check()
    {
        using Socket receiver = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        receiver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _socket.SendTo("unbound"u8, receiver.LocalEndPoint!);
        Sockets.Arrives(receiver, "unbound");
        // Sending has bound it.
        _socket.Dispose();
        _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    }
}

/// <summary>A netlink socket that asks for the network interfaces.</summary>
internal sealed unsafe class RouteSocket : Kind
{
    private const int Netlink = 16, Raw = 3, Route = 0, HeaderBytes = 16;
    private const ushort GetLinks = 18, NewLink = 16, Done = 3, RequestAll = 0x301;
    private readonly Descriptor _socket = new(Ok(NewSocket(Netlink, Raw | CloseOnExec, Route)));

    public RouteSocket() : base("netlink socket")
    {
        const int addressBytes = 12;
        byte* address = stackalloc byte[addressBytes];
        new Span<byte>(address, addressBytes).Clear();
        *(ushort*)address = Netlink;
        Ok(Bind(_socket.Number, address, addressBytes), "bind");
    }

    public override void Check()
    {
        Span<byte> request = stackalloc byte[2 * HeaderBytes];
        request.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(request, request.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(request[4..], GetLinks);
        BinaryPrimitives.WriteUInt16LittleEndian(request[6..], RequestAll);
        _socket.Write(request);
        HashSet<ushort> types = [];
        while (!types.Contains(Done))
        {
            byte[] answer = _socket.Read(65536);
            for (int at = 0; at + HeaderBytes <= answer.Length;)
            {
                types.Add(BitConverter.ToUInt16(answer, at + 4));
                at += (BitConverter.ToInt32(answer, at) + 3) & ~3;
            }
        }

        Expect.That(types.Contains(NewLink));
    }
}

/// <summary>.NET listens at a netlink socket for as long as anyone wants to know of changes.</summary>
internal sealed class NetworkChanges : Kind
{
    public NetworkChanges() : base("event for changes of the network") =>
        NetworkChange.NetworkAddressChanged += (_, _) => { };

    public override void Check()
    {
        HashSet<string> sockets = [.. Directory.GetFiles("/proc/self/fd").Select(path => new FileInfo(path).LinkTarget ?? "")];
        // Columns: address, protocol, port, groups, and the inode as the tenth.
        string[][] all = [.. File.ReadLines("/proc/self/net/netlink").Skip(1).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        Expect.That(all.Any(row => row[1] == "0" && row[3] != "00000000" && sockets.Contains($"socket:[{row[9]}]")), "it has a socket");
    }
}
