using System.Diagnostics;
using FlashGen.Support;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Bench.Gpu;

/// <summary>
/// What to time: a variant of the gallery or of this assembly by its class's name, and a shape; how often, and how many calls in a row are
/// a run.
/// </summary>
internal sealed record Request(
    string Variant,
    string Type,
    int Batch,
    int Heads,
    int KeyHeads,
    int Queries,
    int Keys,
    int Dim,
    int Documents = 8,
    int Runs = 20,
    int Calls = 1
);

/// <summary>A call's milliseconds by the device's clock, the median of the runs, and what ran.</summary>
internal sealed record Answer(double Ms, double First, string Target, string Plan, string Error = "");

/// <summary>Times kernels on the first CUDA device, one request after another, so that another program can take turns with it.</summary>
internal sealed class Server : IDisposable
{
    private readonly Context context = Context.Create(builder => builder.Cuda().Profiling());
    private readonly Accelerator accelerator;
    private readonly Dictionary<string, AttentionKernels> loaded = [];
    private readonly Dictionary<string, AttentionVariant> variants;

    public Server()
    {
        accelerator = context.GetCudaDevice(0).CreateAccelerator(context);
        variants = AttentionVariant
            .In(typeof(FlashGen.Kernels.Causal).Assembly)
            .Concat(AttentionVariant.In(typeof(Server).Assembly))
            .ToDictionary(variant => variant.Name.Split('.')[^1]);
    }

    public Answer Answer(Request request)
    {
        try
        {
            return Time(request);
        }
        catch (Exception fault)
        {
            return new(0, 0, "", "", fault.ToString());
        }
    }

    public void Dispose()
    {
        foreach (AttentionKernels kernels in loaded.Values)
            kernels.Dispose();
        accelerator.Dispose();
        context.Dispose();
    }

    private Answer Time(Request request)
    {
        AttentionVariant variant = variants[request.Variant];
        ElementType type = Enum.Parse<ElementType>(request.Type);
        AttentionShape shape = new(
            request.Batch,
            request.Heads,
            request.KeyHeads,
            request.Queries,
            request.Keys,
            request.Dim
        );
        DateTime start = DateTime.UtcNow;
        if (!loaded.TryGetValue(request.Variant, out AttentionKernels? kernels))
            loaded.Add(request.Variant, kernels = variant.Load(accelerator));
        int size = type == ElementType.Float32 ? 4 : 2;
        using var query = Random(shape.QueryElements(variant.Layout), type, 1);
        using var key = Random(shape.KeyElements(variant.Layout), type, 2);
        using var value = Random(shape.ValueElements(variant.Layout), type, 3);
        using var output = accelerator.Allocate1D<byte>(size * shape.OutputElements(variant.Layout));
        using var workspace = accelerator.Allocate1D<byte>(Math.Max(16, kernels.WorkspaceSize(shape)));
        using DeviceArguments arguments = DeviceArguments.Upload(accelerator, Arguments(variant, shape, request));
        DeviceTensors tensors = new()
        {
            ElementType = type,
            Query = query.View,
            Key = key.View,
            Value = value.View,
            Output = output.View,
            Workspace = workspace.View,
        };
        AcceleratorStream stream = accelerator.DefaultStream;
        void Go() => kernels.Forward(stream, tensors, shape, arguments);
        start = DateTime.UtcNow;
        Go();
        accelerator.Synchronize();
        double first = (DateTime.UtcNow - start).TotalMilliseconds;
        WarmUp(Go);
        double[] times = new double[request.Runs];
        for (int i = 0; i < times.Length; i++)
        {
            using ProfilingMarker before = stream.AddProfilingMarker();
            for (int call = 0; call < request.Calls; call++)
                Go();
            using ProfilingMarker after = stream.AddProfilingMarker();
            after.Synchronize();
            times[i] = after.MeasureFrom(before).TotalMilliseconds / request.Calls;
        }
        Array.Sort(times);
        PlanInfo plan = kernels.PlanFor(type, shape);
        return new(times[times.Length / 2], first, plan.Target.ToString(), plan.Canonical);
    }

    // The card rests while tensors are made, and takes a while to its clock again. peers.py has the other side begin in the same way.
    private void WarmUp(Action call)
    {
        const double Milliseconds = 20;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < Milliseconds)
        {
            call();
            accelerator.Synchronize();
        }
    }

    // Numbers of a normal distribution; a million of them, again and again.
    private MemoryBuffer1D<byte, Stride1D.Dense> Random(long elements, ElementType type, int seed)
    {
        Random random = new(seed);
        double[] normal = new double[1 << 16];
        for (int i = 0; i < normal.Length; i++)
            normal[i] = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        if (type == ElementType.Float32)
            return Copy(elements, normal.Select(x => (float)x).ToArray());
        return type == ElementType.Float16
            ? Copy(elements, normal.Select(x => (System.Half)x).ToArray())
            : Copy(elements, normal.Select(x => Elements.Narrow<BFloat16>((float)x)).ToArray());
    }

    private MemoryBuffer1D<byte, Stride1D.Dense> Copy<T>(long elements, T[] block)
        where T : unmanaged
    {
        T[] all = new T[elements];
        // A block of an odd length, so that rows differ.
        int length = block.Length - 1;
        for (long i = 0; i < elements; i += length)
            Array.Copy(block, 0, all, i, Math.Min(length, elements - i));
        return accelerator.Allocate1D(System.Runtime.InteropServices.MemoryMarshal.AsBytes<T>(all).ToArray());
    }

    private static ModArguments Arguments(AttentionVariant variant, AttentionShape shape, Request request)
    {
        Random random = new(7);
        ModArguments arguments = [];
        int[] Documents(int length) =>
            [.. Enumerable.Range(0, shape.Batch * length).Select(i => i % length * request.Documents / length)];
        foreach (ArgumentInfo argument in variant.Arguments)
            switch (argument.Name)
            {
                case "slopes":
                    arguments.Add(
                        "slopes",
                        Enumerable
                            .Range(0, shape.QueryHeads)
                            .Select(h => MathF.Pow(2, -8f * (h + 1) / shape.QueryHeads))
                            .ToArray()
                    );
                    break;
                case "queryDocument":
                    arguments.Add("queryDocument", Documents(shape.QueryLength));
                    break;
                case "keyDocument":
                    arguments.Add("keyDocument", Documents(shape.KeyLength));
                    break;
                case "prefix":
                    arguments.Add("prefix", Enumerable.Repeat(shape.KeyLength / 4, shape.Batch).ToArray());
                    break;
                case "sink":
                    arguments.Add(
                        "sink",
                        Enumerable.Range(0, shape.QueryHeads).Select(_ => random.NextSingle()).ToArray()
                    );
                    break;
                case "dropout":
                    arguments.Add("dropout", new Dropout(0.1f, 42));
                    break;
                case "bias":
                    arguments.Add(
                        "bias",
                        Enumerable
                            .Range(0, shape.QueryLength * shape.KeyLength)
                            .Select(_ => random.NextSingle())
                            .ToArray()
                    );
                    break;
                case "biasStrides":
                    arguments.Add("biasStrides", new BiasStrides(0, 0, shape.KeyLength, 1));
                    break;
            }
        return arguments;
    }
}
