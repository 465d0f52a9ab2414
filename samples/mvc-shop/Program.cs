using System.Reflection;
using Microsoft.AspNetCore.Localization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApplicationModels;
using Microsoft.EntityFrameworkCore;
using MvcShop;
using MvcShop.Data;
using MvcShop.Delivery;
using MvcShop.Features;
using MvcShop.Messaging;
using MvcShop.Pricing;
using MvcShop.Web;

var builder = WebApplication.CreateBuilder(args);
var services = builder.Services;
var here = Assembly.GetExecutingAssembly();

services.AddOptions<ShopOptions>().BindConfiguration("Shop").ValidateDataAnnotations().ValidateOnStart();
services.AddDbContext<ShopDb>(db => db.UseInMemoryDatabase("shop"));
services.AddHealthChecks();
services.AddMemoryCache();
services.AddSingleton(TimeProvider.System);

services.AddMessaging(here, typeof(IMailTemplate<>));
services.AddAllOf<IPricingRule>(here).AddAllOf<IVoucher>(here).AddAllOf<IShippingMethod>(here)
    .AddAllOf<ITaxPolicy>(here).AddAllOf<IPaymentMethod>(here);
services.AddSingleton<PricingEngine>().AddSingleton<ShippingDesk>().AddSingleton<TaxDesk>();
services.AddSingleton<ActivityLog>().AddSingleton<Popularity>().AddSingleton<IMailer, LogMailer>();
services.AddScoped<BasketBuilder>().AddScoped<ICartStore, SessionCart>().AddScoped<IVisitorMemory, SessionMemory>();

services.AddHttpContextAccessor();
services.AddDistributedMemoryCache();
services.AddSession(session =>
{
    session.Cookie.Name = "shop";
    session.Cookie.IsEssential = true;
    session.IdleTimeout = TimeSpan.FromMinutes(20);
});
services.AddProblemDetails();
services.AddLocalization(localization => localization.ResourcesPath = "Resources");
services.AddControllersWithViews(mvc =>
    {
        mvc.Filters.Add<ServerTimingFilter>();
        mvc.Filters.Add(new AutoValidateAntiforgeryTokenAttribute());
        mvc.Conventions.Add(new RouteTokenTransformerConvention(new KebabCase()));
        mvc.ModelBinderProviders.Insert(0, new SkuListBinderProvider());
    })
    .AddDataAnnotationsLocalization(mvc => mvc.DataAnnotationLocalizerProvider = (_, factory) => factory.Create(typeof(Texts)))
    .AddJsonOptions(json => json.JsonSerializerOptions.Converters.Add(new System.Text.Json.Serialization.JsonStringEnumConverter()));

var app = builder.Build();

app.UseExceptionHandler("/problem/500");
app.UseStatusCodePagesWithReExecute("/problem/{0}");
app.UseRequestLocalization(localization => localization
    .SetDefaultCulture("en").AddSupportedCultures("en", "de").AddSupportedUICultures("en", "de")
    .RequestCultureProviders = [new CookieRequestCultureProvider { CookieName = CultureController.Cookie }, new AcceptLanguageHeaderRequestCultureProvider()]);
app.UseRouting();
app.UseSession();

app.MapHealthChecks("/healthz");
app.MapStaticAssets();
app.MapControllers().WithStaticAssets();

await app.Services.SeedAsync();
await app.RunAsync();
