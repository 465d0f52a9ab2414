using System.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace DotnetSnapshot.Companion;

/// <summary>What the companion adds to the services of an ASP.NET Core app.</summary>
internal static class WebServices
{
    /// <summary>Returns whether the app has a server whose requests pass the gate.</summary>
    public static bool AddTo(IServiceCollection services)
    {
        // First, and so outermost: nothing of the app sees a request before the gate does.
        services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, RequestGate>());
        services.AddSingleton<IPostConfigureOptions<KeyManagementOptions>, DataProtectionKeys>();
        return services.Any(service => service.ServiceType == typeof(IServer));
    }
}
