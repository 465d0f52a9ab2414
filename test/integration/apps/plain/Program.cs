using System.Net;
using System.Net.Sockets;

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
        while (await request.ReadLineAsync() is { Length: > 0 })
        {
        }

        await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nplain"u8.ToArray());
    }
}
