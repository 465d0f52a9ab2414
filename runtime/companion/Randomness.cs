using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading;

namespace DotnetSnapshot.Companion;

/// <summary>Generators whose state lies in the process's memory, so that every clone would continue with the same numbers.</summary>
internal sealed class Randomness
{
    private const BindingFlags Members = BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>The generator behind Random.Shared, one for each thread.</summary>
    private static readonly Generator s_shared = new(typeof(Random).GetNestedType("ThreadSafeRandom", BindingFlags.NonPublic));

    /// <summary>The like behind the trace and span ids of activities.</summary>
    private static readonly Generator s_ofActivities = new(typeof(Activity).Assembly.GetType("System.Diagnostics.RandomNumberGenerator"));

    /// <summary>The like behind the random part of the library Ulid's ids.</summary>
    private Generator? _ofUlids;

    private readonly List<FieldInfo> _connectionIds = [];
    private readonly OpenSsl _openSsl = new();
    private readonly HashSet<(Generator Kind, object State)> _states = new(SameObject.Instance);
    private bool _allThreadsSeen;

    /// <summary>Looks up what a renewal needs. Throws where the runtime has what can't be renewed.</summary>
    public void Prepare()
    {
        if (!s_shared.IsKnown || !s_ofActivities.IsKnown)
        {
            throw new NotSupportedException($"the random numbers of .NET {Environment.Version} can't be renewed");
        }

        // The servers' identifiers of connections count on from the moment of their start.
        _connectionIds.Clear();
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies())
        {
            if (assembly.GetName().Name?.StartsWith("Microsoft.AspNetCore.Server.", StringComparison.Ordinal) == true
                && assembly.GetType("Microsoft.AspNetCore.Connections.CorrelationIdGenerator")?.GetField("_lastId", BindingFlags.Static | BindingFlags.NonPublic) is { } last)
            {
                _connectionIds.Add(last);
            }
        }

        _ofUlids ??= Loaded.Find("Ulid", "System.RandomProvider") is { } ulids && new Generator(ulids, ["xorShift"], ["x"]) is { IsKnown: true } known ? known : null;
        _openSsl.Find();
        CollectStates();
    }

    /// <summary>Right before the checkpoint.</summary>
    public void Distrust()
    {
        CollectStates();
        _openSsl.Distrust();
    }

    /// <summary>Where the process goes on after its checkpoint.</summary>
    public void Trust() => _openSsl.Renew();

    /// <summary>
    /// Gives new seeds to OpenSSL's generators and to each thread's own. Returns what waits until threads that did not show
    /// theirs before the checkpoint have dropped them.
    /// </summary>
    public Action Renew()
    {
        _openSsl.Renew();
        foreach (FieldInfo last in _connectionIds)
        {
            last.SetValue(null, DateTime.UtcNow.Ticks);
        }

        Span<byte> seed = stackalloc byte[Generator.SeedBytes];
        foreach ((Generator kind, object state) in _states)
        {
            // The kernel's own numbers, also in an image without OpenSSL.
            Guid.NewGuid().TryWriteBytes(seed);
            Guid.NewGuid().TryWriteBytes(seed[16..]);
            kind.Seed(state, seed);
        }

        return _allThreadsSeen ? static () => { } : PoolThreads.OnEach(DropOfThisThread, PoolThreads.Short);
    }

    /// <summary>
    /// The states of the pool's threads, so that no thread has to be woken to renew its own. A thread without one makes and
    /// seeds it at its first use.
    /// </summary>
    private void CollectStates()
    {
        _states.Clear();
        int seen = 0;
        void Collect()
        {
            lock (_states)
            {
                seen++;
                s_shared.AddTo(_states);
                s_ofActivities.AddTo(_states);
                _ofUlids?.AddTo(_states);
            }
        }

        int threads = ThreadPool.ThreadCount;
        PoolThreads.OnEach(Collect, PoolThreads.Short)();
        lock (_states)
        {
            _allThreadsSeen = seen >= threads && ThreadPool.ThreadCount <= threads;
        }

        Collect();
    }

    private void DropOfThisThread()
    {
        s_shared.Drop();
        s_ofActivities.Drop();
        _ofUlids?.Drop();
    }

    /// <summary>A kind of generator with a state for each thread; .NET's are xoshiro256** in all versions.</summary>
    private sealed class Generator
    {
        public const int SeedBytes = 4 * sizeof(ulong);

        private readonly FieldInfo? _ofThread;
        private readonly FieldInfo?[] _words;

        // The first up to version 10, the second from then on.
        public Generator(Type? type)
            : this(type, ["t_random", "<Current>k__BackingField"], ["_s0", "_s1", "_s2", "_s3"])
        {
        }

        public Generator(Type? type, string[] ofThread, string[] words)
        {
            _ofThread = Array.Find(Array.ConvertAll(ofThread, name => type?.GetField(name, Members)), field => field is not null);
            _words = Array.ConvertAll(words, name => _ofThread?.FieldType.GetField(name, Members));
        }

        public bool IsKnown => Array.TrueForAll(_words, word => word?.FieldType == typeof(ulong));

        public void AddTo(HashSet<(Generator, object)> states)
        {
            if (_ofThread!.GetValue(null) is { } state)
            {
                states.Add((this, state));
            }
        }

        /// <summary>The thread seeds another at its next use.</summary>
        public void Drop() => _ofThread!.SetValue(null, null);

        public void Seed(object state, ReadOnlySpan<byte> seed)
        {
            for (int word = 0; word < _words.Length; word++)
            {
                _words[word]!.SetValue(state, BinaryPrimitives.ReadUInt64LittleEndian(seed[(word * sizeof(ulong))..]));
            }
        }
    }

    private sealed class SameObject : IEqualityComparer<(Generator Kind, object State)>
    {
        public static readonly SameObject Instance = new();

        public bool Equals((Generator Kind, object State) x, (Generator Kind, object State) y) => ReferenceEquals(x.State, y.State);

        public int GetHashCode((Generator Kind, object State) item) => RuntimeHelpers.GetHashCode(item.State);
    }
}
