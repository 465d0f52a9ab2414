using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;

namespace DotnetSnapshot.Companion;

/// <summary>
/// OpenSSL's random generators, which are .NET's on Linux: a root, seeded by the kernel, and two of each thread, seeded
/// by the root.
/// </summary>
internal sealed unsafe class OpenSsl
{
    /// <summary>After how many requests the root seeds itself anew; OpenSSL's own default (PRIMARY_RESEED_INTERVAL).</summary>
    private const uint UsualRequests = 256;

    private delegate* unmanaged<int> _poll;
    private delegate* unmanaged<nint, nint> _root;
    private delegate* unmanaged<nint, Parameter*, int> _setParameters;

    /// <summary>Looks up the functions. An OpenSSL that is not loaded yet seeds itself at its first use, after the restore.</summary>
    public void Find()
    {
        string? line = File.ReadLines("/proc/self/maps").FirstOrDefault(line => line.Contains("/libcrypto.so", StringComparison.Ordinal));
        if (line is null)
        {
            return;
        }

        nint library = NativeLibrary.Load(line[line.IndexOf('/', StringComparison.Ordinal)..]);
        _poll = (delegate* unmanaged<int>)NativeLibrary.GetExport(library, "RAND_poll");
        if (NativeLibrary.TryGetExport(library, "RAND_get0_primary", out nint root)
            && NativeLibrary.TryGetExport(library, "EVP_RAND_CTX_set_params", out nint setParameters))
        {
            _root = (delegate* unmanaged<nint, nint>)root;
            _setParameters = (delegate* unmanaged<nint, Parameter*, int>)setParameters;
        }
    }

    /// <summary>
    /// Right before the checkpoint: from now on the root seeds itself at each request, and each thread's generators ask
    /// the root at their next use. So even what a thread makes before <see cref="Renew"/> is not that of another clone.
    /// </summary>
    public void Distrust()
    {
        SetRequests(1);
        Poll();
    }

    /// <summary>Fresh entropy from the kernel into the root, which the threads' generators follow (RAND_poll(3)).</summary>
    public void Renew()
    {
        Poll();
        SetRequests(UsualRequests);
    }

    private void Poll()
    {
        if (_poll is not null && _poll() != 1)
        {
            throw new InvalidOperationException("OpenSSL's generator can't be seeded");
        }
    }

    /// <summary>EVP_RAND(7): `reseed_requests`. OpenSSL 1.1 has no such setting; there the renewal alone must do.</summary>
    private void SetRequests(uint requests)
    {
        if (_root is null)
        {
            return;
        }

        fixed (byte* name = "reseed_requests\0"u8)
        {
            Parameter* parameters = stackalloc Parameter[2];
            parameters[0] = new Parameter { Key = name, DataType = 2, Data = &requests, DataSize = sizeof(uint), ReturnSize = 0 };
            parameters[1] = default;
            if (_setParameters(_root(0), parameters) != 1)
            {
                throw new InvalidOperationException("OpenSSL's generator can't be set");
            }
        }
    }

    /// <summary>OSSL_PARAM(3); data type 2 is an unsigned integer, and a null key ends a list.</summary>
    private struct Parameter
    {
        public byte* Key;
        public uint DataType;
        public void* Data;
        public nuint DataSize;
        public nuint ReturnSize;
    }
}
