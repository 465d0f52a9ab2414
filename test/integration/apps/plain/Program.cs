using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

// An app that answers without the ASP.NET Core framework and without a host.
using TcpListener listener = new(IPAddress.Any, 8080);
listener.Start();
while (true)
{
    _ = AnswerAsync(await listener.AcceptTcpClientAsync());
}

static async Task AnswerAsync(TcpClient client)
{
    using (client)
    {
        using StreamReader request = new(client.GetStream());
        string? first = await request.ReadLineAsync();
        while (await request.ReadLineAsync() is { Length: > 0 })
        {
        }

        if (first?.StartsWith("GET /allocate ", StringComparison.Ordinal) == true)
        {
            Allocate();
        }

        await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nplain"u8.ToArray());
    }
}

// Without an end but the kernel's: memory of the GC's heap would end with an exception.
static unsafe void Allocate()
{
    const int size = 1 << 20;
    while (true)
    {
        new Span<byte>(NativeMemory.Alloc(size), size).Fill(1);
    }
}
