using System.Globalization;
using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;
using Microsoft.FSharp.Core;

namespace FlashGen.Generators.Parse;

/// <summary>What the ready-made attributes of a class say.</summary>
internal sealed record ReadyMadeChoices(
    IReadOnlyList<ReadyMade> Parts,
    Scale Scale,
    bool Sink,
    bool Dropout,
    IReadOnlyList<BlockSize> BlockSizes
);

/// <summary>Reads the ready-made masks, score changes and block sizes of a class, in source order.</summary>
internal sealed class ReadyMadeAttributes(ParseContext context)
{
    private readonly List<ReadyMade> _parts = [];

    /// <summary>The attributes of a class that say something of its variant, without their namespace and ending.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "Causal",
        "SlidingWindow",
        "PrefixLm",
        "Document",
        "Chunked",
        "SoftCap",
        "Alibi",
        "Bias",
        "Sink",
        "Dropout",
        "Scale",
        "BlockSize",
    ];

    private readonly List<BlockSize> _blockSizes = [];
    private Scale _scale = Scale.DefaultScale;
    private bool _sink;
    private bool _dropout;

    public static ReadyMadeChoices Parse(
        IReadOnlyList<AttributeUse> uses,
        IReadOnlyList<TargetKind> targets,
        ParseContext context
    )
    {
        var reader = new ReadyMadeAttributes(context);
        foreach (var use in uses)
            reader.Read(use, targets);
        reader.CheckCombination(uses);
        return new ReadyMadeChoices(reader._parts, reader._scale, reader._sink, reader._dropout, reader._blockSizes);
    }

    private void Read(AttributeUse use, IReadOnlyList<TargetKind> targets)
    {
        switch (use.Name)
        {
            case "Causal":
                _parts.Add(ReadyMade.Causal);
                break;
            case "SlidingWindow":
                ReadSlidingWindow(use);
                break;
            case "PrefixLm":
                _parts.Add(ReadyMade.PrefixLm);
                break;
            case "Document":
                _parts.Add(ReadyMade.Document);
                break;
            case "Chunked":
                ReadChunked(use);
                break;
            case "SoftCap":
                ReadSoftCap(use);
                break;
            case "Alibi":
                _parts.Add(ReadyMade.Alibi);
                break;
            case "Bias":
                _parts.Add(ReadyMade.Bias);
                break;
            case "Sink":
                _sink = true;
                break;
            case "Dropout":
                _dropout = true;
                break;
            case "Scale":
                ReadScale(use);
                break;
            case "BlockSize":
                ReadBlockSize(use, targets);
                break;
        }
    }

    private void ReadSlidingWindow(AttributeUse use)
    {
        var (left, right) = (use.Int(0), use.Int(1));
        if (left < -1 || right < -1)
        {
            var at = use.ArgumentLocation(left < -1 ? 0 : 1);
            context.Report(DiagnosticCatalog.SlidingWindow, at, Show(left), Show(right), "has a negative width");
        }
        else if (left == -1 && right == -1)
        {
            context.Report(DiagnosticCatalog.SlidingWindow, use.Location, Show(left), Show(right), "keeps every key");
        }
        else
        {
            _parts.Add(ReadyMade.NewSlidingWindow(left, right));
        }
    }

    private void ReadChunked(AttributeUse use)
    {
        var size = use.Int(0);
        if (size < 1)
            context.Report(DiagnosticCatalog.ChunkSize, use.ArgumentLocation(0), Show(size));
        else
            _parts.Add(ReadyMade.NewChunked(size));
    }

    private void ReadSoftCap(AttributeUse use)
    {
        var cap = use.Float(0);
        if (!IsFinite(cap) || cap <= 0)
            context.Report(DiagnosticCatalog.SoftCap, use.ArgumentLocation(0), Show(cap));
        else
            _parts.Add(ReadyMade.NewSoftCap(Bits(cap), use.Flag("Approximate")));
    }

    private void ReadScale(AttributeUse use)
    {
        if (use.ParameterCount == 0)
        {
            _scale = Scale.RuntimeScale;
            return;
        }
        var scale = use.Float(0);
        if (!IsFinite(scale))
            context.Report(DiagnosticCatalog.Scale, use.ArgumentLocation(0), Show(scale));
        else
            _scale = Scale.NewConstantScale(Bits(scale));
    }

    private void ReadBlockSize(AttributeUse use, IReadOnlyList<TargetKind> targets)
    {
        var (m, n) = (use.Int(0), use.Int(1));
        var (warps, stages) = (use.Property("Warps") ?? 0, use.Property("Stages") ?? 0);
        var rightful =
            IsFrom(1, m, "The number of query rows", use.ArgumentLocation(0))
            & IsFrom(1, n, "The number of keys", use.ArgumentLocation(1))
            & IsFrom(0, warps, "The number of warps", use.PropertyLocation("Warps"))
            & IsFrom(0, stages, "The number of stages", use.PropertyLocation("Stages"));
        var at = use.PropertyLocation("Target");
        foreach (var target in BlockTargets(use, at))
        {
            if (target is not null && !targets.Contains(target))
            {
                var advice = $"add {target} to Targets, or remove this block size";
                context.Report(DiagnosticCatalog.Contradiction, at, $"A block size for {target}", "Targets", advice);
            }
            else if (_blockSizes.Exists(size => Equals(size.Target?.Value, target)))
            {
                var whose = target is null ? "every target" : target.ToString();
                context.Report(DiagnosticCatalog.DeclaredTwice, use.Location, $"The block size for {whose}");
            }
            else if (rightful)
            {
                var option = target is null ? FSharpOption<TargetKind>.None : FSharpOption<TargetKind>.Some(target);
                _blockSizes.Add(new BlockSize(option, m, n, warps, stages));
            }
        }
    }

    /// <summary>The targets that a block size names; one null for all of them.</summary>
    private IEnumerable<TargetKind?> BlockTargets(AttributeUse use, Location? at)
    {
        if (use.Property("Target") is not { } bits || AttentionAttributes.IsEveryTarget(bits))
            return [null];
        var targets = AttentionAttributes.TargetsOf(bits);
        if (targets.Count == 0)
            context.Report(
                DiagnosticCatalog.BlockSize,
                at,
                "Target",
                Show(bits),
                "at least one of Simd, Portable, Sm80 and Sm90"
            );
        return targets;
    }

    private bool IsFrom(int least, int number, string what, Location? at)
    {
        // Far beyond what any target holds, and budgets of such tiles are numbers still.
        const int Most = 1 << 20;
        if (number >= least && number <= Most)
            return true;
        var advice = $"1 to {Most}" + (least == 0 ? ", or 0 to leave it to the planner" : "");
        context.Report(DiagnosticCatalog.BlockSize, at, what, Show(number), advice);
        return false;
    }

    private void CheckCombination(IReadOnlyList<AttributeUse> uses)
    {
        if (_parts.Contains(ReadyMade.Causal) && _parts.Contains(ReadyMade.PrefixLm))
        {
            var at = uses.First(use => use.Name == "Causal").Location;
            var advice = "prefix-LM contains causal, and both together would be causal alone, so remove [Causal]";
            context.Report(DiagnosticCatalog.Contradiction, at, "[Causal]", "[PrefixLm]", advice);
        }
    }

    private static bool IsFinite(float value) => !float.IsNaN(value) && !float.IsInfinity(value);

    private static int Bits(float value) => BitConverter.ToInt32(BitConverter.GetBytes(value), 0);

    private static string Show(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Show(float number) => number.ToString("R", CultureInfo.InvariantCulture);
}
