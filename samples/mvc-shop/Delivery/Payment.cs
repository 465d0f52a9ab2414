using MvcShop.Domain;
using MvcShop.Messaging;

namespace MvcShop.Delivery;

public interface IPaymentMethod
{
    string Label { get; }
    bool Accepts(Money total, string shipping, string country);
    string Instructions(string orderNumber);
}

[Named("invoice")]
internal sealed class Invoice : IPaymentMethod
{
    public string Label => "Invoice";
    public bool Accepts(Money total, string shipping, string country) => total <= new Money(200) && country == "DE";
    public string Instructions(string orderNumber) => $"Please pay invoice {orderNumber} within 14 days.";
}

[Named("transfer")]
internal sealed class BankTransfer : IPaymentMethod
{
    public string Label => "Bank transfer";
    public bool Accepts(Money total, string shipping, string country) => true;
    public string Instructions(string orderNumber) => $"Please transfer with the reference {orderNumber}; we send when it is here.";
}

[Named("cash")]
internal sealed class Cash : IPaymentMethod
{
    public string Label => "Cash";
    public bool Accepts(Money total, string shipping, string country) => shipping == "pickup";
    public string Instructions(string orderNumber) => $"Please say {orderNumber} at the counter.";
}
