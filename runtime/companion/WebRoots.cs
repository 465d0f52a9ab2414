using System.Collections.Generic;
using System.IO;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;

namespace DotnetSnapshot.Companion;

/// <summary>Folders of static files that were missing when the app started: it then answers 404 to all that is in them, for ever.</summary>
internal static class WebRoots
{
    /// <summary>The folders, whether they are missing still or not.</summary>
    public static List<string> Missing(AppHost host)
    {
        List<string> folders = [];
        foreach (IWebHostEnvironment environment in host.FindAll<IWebHostEnvironment>())
        {
            if (environment.WebRootFileProvider is NullFileProvider)
            {
                folders.Add(string.IsNullOrEmpty(environment.WebRootPath) ? Path.Combine(environment.ContentRootPath, "wwwroot") : environment.WebRootPath);
            }
        }

        return folders;
    }
}
