using System.Collections.Concurrent;
using FlashGen.Dsl;
using FlashGen.Support;
using FlashGen.Tool.Run;
using FlashGen.Tool.Variants;
using FlashGen.Tool.Verify;
using ILGPU.Runtime.Cuda;

namespace FlashGen.Tool.Tune;

/// <summary>
/// The process that compiles, checks and times candidates. A kernel that hangs cannot be stopped from within, and one that breaks memory or
/// a device takes its process along: so the tool asks another process of itself, which it can end.
/// </summary>
internal sealed class Worker : IDisposable
{
    private readonly TextWriter output;
    private readonly IReadOnlyDictionary<string, AttentionVariant> variants;
    private readonly Backend backend;
    private readonly WorkerKind kind;
    private readonly int threads;
    private readonly Dictionary<int, CandidateBuild> prepared = [];
    private readonly CandidateBuilds builds;
    private (TuneKernel Kernel, TimedCase Case)? timed;

    private Worker(string assembly, string device, int threads, TextWriter output)
    {
        (this.output, this.threads) = (output, threads);
        variants = VariantCatalog.OfFile(assembly).Variants.ToDictionary(variant => variant.Name);
        backend = Backend.Open(device);
        kind =
            backend is SimdBackend ? WorkerKind.Simd
            : backend.IsSlow ? WorkerKind.Simulator
            : WorkerKind.Device;
        builds = new(backend);
    }

    /// <summary>Answers requests until there are no more.</summary>
    public static int Run(string assembly, string device, int threads, TextReader input, TextWriter output)
    {
        // The tool's end is seen while a kernel runs, too: nobody waits for it any more.
        BlockingCollection<string> requests = [];
        Thread reader = new(() =>
        {
            while (input.ReadLine() is { } line)
                requests.Add(line);
            System.Environment.Exit(0);
        })
        {
            IsBackground = true,
        };
        // Ctrl+C is for the tool, which ends its worker itself.
        Console.CancelKeyPress += (_, pressed) => pressed.Cancel = true;
        Worker worker;
        try
        {
            worker = new(assembly, device, threads, output);
        }
        catch (Exception e) when (e is ToolException or DllNotFoundException)
        {
            Reply(output, new() { Error = Messages.Of(e) });
            return 1;
        }
        using (worker)
        {
            Reply(output, new() { Device = worker.backend.Description, DeviceClass = DeviceClass(worker.backend) });
            reader.Start();
            foreach (string line in requests.GetConsumingEnumerable())
                worker.Answer(WorkerLine.Read<WorkerRequest>(line));
            return 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        timed?.Case.Dispose();
        builds.Dispose();
        backend.Dispose();
    }

    private static string DeviceClass(Backend backend) =>
        backend switch
        {
            DeviceBackend { Accelerator: CudaAccelerator cuda } => FormattableString.Invariant(
                $"sm_{cuda.Architecture.Major}{cuda.Architecture.Minor}"
            ),
            DeviceBackend { IsSlow: true } => "cpu",
            DeviceBackend => "opencl",
            _ => PlanFileModule.simdClass(SimdForward.VectorBits),
        };

    private static void Reply(TextWriter output, WorkerReply reply)
    {
        output.WriteLine(WorkerLine.Write(reply));
        output.Flush();
    }

    private void Answer(WorkerRequest request)
    {
        switch (request.Op)
        {
            case "expect":
                builds.BeginOwn(variants[request.Kernel!.Variant], request.Kernel);
                foreach (string plan in request.Plans!)
                    builds.Begin(variants[request.Kernel.Variant], PlanOf(plan), request.Kernel);
                break;
            case "prepare":
                Reply(output, Prepare(request.Ids[0], request.Plan, request.Kernel!));
                break;
            case "time":
                foreach (int id in request.Ids)
                    Reply(
                        output,
                        Guard(id, () => new() { Milliseconds = timed!.Value.Case.Time(prepared[id].Variant) })
                    );
                break;
            case "forget":
                foreach (int id in request.Ids)
                    if (prepared.Remove(id, out CandidateBuild? build))
                        timed?.Case.Forget(build.Variant);
                break;
        }
    }

    private WorkerReply Prepare(int id, string planText, TuneKernel kernel) =>
        Guard(
            id,
            () =>
            {
                AttentionVariant variant = variants[kernel.Variant];
                TilePlan? plan = PlanOf(planText);
                CandidateBuild build = builds.Of(variant, plan, kernel);
                prepared[id] = build;
                Check(variant, build.Variant, kernel, plan);
                return new();
            }
        );

    private static TilePlan? PlanOf(string text) =>
        text.Length == 0 ? null
        : PlanText.parse(text) is { IsOk: true, ResultValue: { } parsed } ? parsed
        : throw new CandidateException(TuneOutcome.Refused, "The plan cannot be read.");

    // A ragged shape of a few tiles as a whole, then some rows of the very call that is timed.
    private void Check(AttentionVariant variant, AttentionVariant candidate, TuneKernel kernel, TilePlan? plan)
    {
        TimedCase call = CaseOf(variant, kernel);
        int keys = kind == WorkerKind.Simulator ? 65 : (2 * (plan?.BlockN ?? 128)) + 37;
        int rows = kind == WorkerKind.Simulator ? 9 : 45;
        // Of a variant for any dimension device kernels are told apart by it.
        (int headDim, int valueDim) =
            variant.Dims.Count != 0 ? (kernel.HeadDim, kernel.ValueDim)
            : kind != WorkerKind.Simd ? (kernel.ValueDim, kernel.ValueDim)
            : (24, 40);
        if (!variant.Dims.Contains((headDim, valueDim)) && variant.Dims.Count != 0)
            (headDim, valueDim) = variant.Dims[0];
        AttentionShape ragged = new(1, 2, 1, rows, keys, headDim, valueDim);
        using CandidateBackend instead = new(backend, candidate);
        ErrorReport small = ElementDispatch.Do(kernel.Type, new VerifyCase(variant, ragged, instead, seed: 1));
        ErrorReport large = call.Check(candidate);
        foreach (ErrorReport report in new[] { small, large })
            if (!report.Passed)
                throw new CandidateException(TuneOutcome.Wrong, report.ToString().ReplaceLineEndings("; "));
    }

    private TimedCase CaseOf(AttentionVariant variant, TuneKernel kernel)
    {
        if (timed is { } one && one.Kernel == kernel)
            return one.Case;
        timed?.Case.Dispose();
        timed = null;
        AttentionShape shape = TuneUnits.Shape(variant, kernel, kind);
        TimedCase made = ElementDispatch.Do(kernel.Type, new CaseMaker(this, variant, shape));
        timed = (kernel, made);
        return made;
    }

    private static WorkerReply Guard(int id, Func<WorkerReply> work)
    {
        try
        {
            return work() with { Id = id };
        }
        catch (CandidateException e)
        {
            return new()
            {
                Id = id,
                Outcome = e.Outcome,
                Reason = e.Message,
            };
        }
        catch (OutOfMemoryException e)
        {
            return new()
            {
                Id = id,
                Outcome = TuneOutcome.OutOfMemory,
                Reason = e.Message,
            };
        }
        catch (Exception e)
        {
            bool isMemory = e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);
            return new()
            {
                Id = id,
                Outcome = isMemory ? TuneOutcome.OutOfMemory : TuneOutcome.Failed,
                Reason = $"{e.GetType().Name}: {Messages.Of(e)}",
            };
        }
    }

    /// <summary>Makes the call of a kernel, with arguments that lead no mod outside its tables.</summary>
    private sealed class CaseMaker(Worker worker, AttentionVariant variant, AttentionShape shape)
        : IElementWork<TimedCase>
    {
        public TimedCase Do<T, TLogSumExp>()
            where T : unmanaged
            where TLogSumExp : unmanaged
        {
            foreach (int largest in new[] { Math.Max(1, shape.KeyLength), 3 })
                try
                {
                    return Make<T, TLogSumExp>(largest);
                }
                catch (Exception fault) when (fault is TableReadException or DeviceFaultException) { }
            return Make<T, TLogSumExp>(1);
        }

        private TimedCase Make<T, TLogSumExp>(int largest)
            where T : unmanaged
            where TLogSumExp : unmanaged
        {
            ModArguments arguments = SampleArguments.Timed(variant, shape, new Random(1), largest);
            TimedCase made =
                worker.kind == WorkerKind.Device
                    ? new DeviceCase<T, TLogSumExp>(variant, shape, arguments, (DeviceBackend)worker.backend)
                    : new HostCase<T, TLogSumExp>(variant, shape, arguments, worker.backend, worker.threads);
            try
            {
                // The user's own kernels: where these are at fault, so would be every candidate.
                if (!variant.Plans.Any(plan => plan.Target == worker.backend.Target))
                    return made;
                made.Check(variant);
                made.Forget(variant);
                return made;
            }
            catch
            {
                made.Dispose();
                throw;
            }
        }
    }

    /// <summary>Runs a candidate where the user's variant is asked for; the device stays the worker's.</summary>
    private sealed class CandidateBackend(Backend inner, AttentionVariant candidate) : Backend
    {
        public override string Description => inner.Description;

        public override Target Target => inner.Target;

        public override Target Forward<T, TLogSumExp>(
            AttentionVariant variant,
            HostTensors<T, TLogSumExp> tensors,
            in AttentionShape shape,
            ModArguments arguments,
            AttentionOptions options
        )
        {
            // Made-up arguments may lead the user's mods outside their tables, which only the user's variant says so that others are tried.
            if (variant.Masks.Count + variant.Scores.Count != 0)
            {
                HostTensors<T, TLogSumExp> apart = tensors with
                {
                    Output = [.. tensors.Output],
                    LogSumExp = [.. tensors.LogSumExp],
                };
                inner.Forward(variant, apart, shape, arguments, options);
            }
            return inner.Forward(candidate, tensors, shape, arguments, options);
        }
    }
}
