using MvcShop.Messaging;

namespace MvcShop.Features;

public sealed record Mail(string To, string Subject, string Text);

/// <summary>The mail that an event gives rise to.</summary>
public interface IMailTemplate<in TEvent> where TEvent : IEvent
{
    Mail Write(TEvent happened);
}

public interface IMailer
{
    Task Send(Mail mail, CancellationToken cancel);
}

/// <summary>Writes to the log what a real shop would send.</summary>
internal sealed partial class LogMailer(ILogger<LogMailer> log) : IMailer
{
    public Task Send(Mail mail, CancellationToken cancel)
    {
        Sent(mail.Subject, mail.Text.Length);
        return Task.CompletedTask;
    }

    [LoggerMessage(LogLevel.Debug, "Mail \"{Subject}\" of {Length} characters")]
    private partial void Sent(string subject, int length);
}

internal sealed class OrderConfirmation : IMailTemplate<OrderPlaced>
{
    public Mail Write(OrderPlaced happened) => new(happened.Order.Email, "Your order", string.Join('\n',
        happened.Order.Lines.Select(l => $"{l.Quantity} x {l.Name}").Append($"Total {happened.Order.Total}, order {happened.Order.Number}")));
}

internal sealed class WithdrawalNote : IMailTemplate<OrderWithdrawn>
{
    public Mail Write(OrderWithdrawn happened) => new(happened.Email, "Your order is withdrawn", $"Nothing of {happened.Number} is kept.");
}

internal sealed class WelcomeNote : IMailTemplate<Subscribed>
{
    public Mail Write(Subscribed happened) => new(happened.Email, "Welcome", $"To leave: /newsletter/leave/{happened.Key}");
}

internal sealed class Goodbye : IMailTemplate<Unsubscribed>
{
    public Mail Write(Unsubscribed happened) => new(happened.Email, "Goodbye", "We won't write again.");
}
