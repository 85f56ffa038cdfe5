using System.Numerics;
using System.Reflection;
using FlashGen.Support;

namespace FlashGen;

/// <summary>
/// What the attributes of a class mean, written by hand from the semantics and bound to one call's arguments. The generator has another
/// definition of each; the two meet only in tests.
/// </summary>
internal sealed class Declaration
{
    private readonly AttentionVariant variant;
    private readonly ModArguments arguments;
    private readonly int queryLength;
    private readonly int keyLength;

    private readonly bool causal;
    private readonly SlidingWindowAttribute? window;
    private readonly ChunkedAttribute? chunked;
    private readonly SoftCapAttribute? softCap;
    private readonly ReadOnlyMemory<int>? prefix;
    private readonly ReadOnlyMemory<int>? queryDocument;
    private readonly ReadOnlyMemory<int> keyDocument;
    private readonly ReadOnlyMemory<float>? slopes;
    private readonly int slopesPerBatch;
    private readonly ReadOnlyMemory<float>? bias;
    private readonly BiasStrides biasStrides;
    private readonly ReadOnlyMemory<float>? sink;

    /// <summary>Reads the attributes and takes their arguments.</summary>
    /// <exception cref="ArgumentException">An argument is missing, unknown, or does not fit.</exception>
    public Declaration(AttentionVariant variant, in AttentionShape shape, ModArguments arguments)
    {
        arguments.CheckNames(variant);
        (this.variant, this.arguments) = (variant, arguments);
        (queryLength, keyLength) = (shape.QueryLength, shape.KeyLength);
        CheckMods();

        AttentionAttribute[] attention = [.. variant.Declaration.GetCustomAttributes<AttentionAttribute>()];
        Align = attention.Any(a => a.Align == Alignment.TopLeft) ? Alignment.TopLeft : Alignment.BottomRight;
        Layout = attention.Any(a => a.Layout == TensorLayout.BatchSequenceHead)
            ? TensorLayout.BatchSequenceHead
            : TensorLayout.BatchHeadSequence;

        causal = Has<CausalAttribute>();
        window = Get<SlidingWindowAttribute>();
        chunked = Get<ChunkedAttribute>();
        softCap = Get<SoftCapAttribute>();
        Scale = 1 / Math.Sqrt(shape.HeadDim);
        if (Get<ScaleAttribute>() is { } scale)
        {
            Scale = scale.Value ?? arguments.Scalar<float>("scale");
            CallCheck.Scale((float)Scale);
        }
        if (Has<PrefixLmAttribute>())
        {
            prefix = arguments.Values<int>("prefix");
            CallCheck.Prefix(shape, prefix.Value.Length);
        }
        if (Has<DocumentAttribute>())
        {
            queryDocument = arguments.Values<int>("queryDocument");
            keyDocument = arguments.Values<int>("keyDocument");
            CallCheck.Documents(shape, queryDocument.Value.Length, keyDocument.Length);
        }
        if (Has<AlibiAttribute>())
        {
            slopes = arguments.Values<float>("slopes");
            slopesPerBatch = CallCheck.Slopes(shape, slopes.Value.Length);
        }
        if (Has<BiasAttribute>())
        {
            bias = arguments.Values<float>("bias");
            biasStrides = arguments.Scalar<BiasStrides>("biasStrides");
            CallCheck.Bias(shape, bias.Value.Length, biasStrides);
        }
        if (Has<SinkAttribute>())
        {
            sink = arguments.Values<float>("sink");
            CallCheck.Sink(shape, sink.Value.Length);
        }
        if (Has<DropoutAttribute>())
            Dropout = arguments.Scalar<Dropout>("dropout");
    }

    /// <summary>Where query rows stand among the keys when the shape gives no offsets.</summary>
    public Alignment Align { get; }

    /// <summary>The axis order behind the default strides.</summary>
    public TensorLayout Layout { get; }

    /// <summary>The factor of query * key.</summary>
    public double Scale { get; }

    /// <summary>The dropout; null without one.</summary>
    public Dropout? Dropout { get; }

    /// <summary>The logit of a head's sink; null without one.</summary>
    public float? Sink(int head) => sink?.Span[head];

    /// <summary>Whether every mask keeps a pair. The user's own run only where the ready-made ones, and those before, keep it.</summary>
    public bool Keeps(in Position at)
    {
        // 64 bits: a window may reach past what an int holds.
        (long position, long key) = (at.QueryPosition, at.Key);
        if (causal && key > position)
            return false;
        if (window is { Left: >= 0 } && key < position - window.Left)
            return false;
        if (window is { Right: >= 0 } && key > position + window.Right)
            return false;
        if (chunked is not null)
        {
            long chunk = chunked.Size * (long)Math.Floor((double)position / chunked.Size);
            if (key < chunk || key >= chunk + chunked.Size)
                return false;
        }
        if (prefix is { } lengths && key > position && key >= lengths.Span[at.Batch])
            return false;
        if (
            queryDocument is { } documents
            && documents.Span[(at.Batch * queryLength) + at.Query] != keyDocument.Span[(at.Batch * keyLength) + at.Key]
        )
            return false;
        foreach (MaskDelegate mask in variant.Masks)
            if (!mask(at, arguments))
                return false;
        return true;
    }

    /// <summary>The score of a kept pair from its scaled product: soft cap, ALiBi, bias, then the user's own in source order.</summary>
    public TReal Change<TReal>(TReal score, in Position at)
        where TReal : struct, IBinaryFloatingPointIeee754<TReal>
    {
        if (softCap is not null)
        {
            TReal cap = TReal.CreateTruncating(softCap.Cap);
            score = cap * TReal.Tanh(score / cap);
        }
        if (slopes is { } slope)
        {
            TReal distance = TReal.CreateTruncating(Math.Abs((long)at.QueryPosition - at.Key));
            score -= TReal.CreateTruncating(slope.Span[(at.Batch * slopesPerBatch) + at.Head]) * distance;
        }
        if (bias is { } added)
        {
            long index =
                (at.Batch * biasStrides.Batch)
                + (at.Head * biasStrides.Head)
                + (at.Query * biasStrides.Query)
                + (at.Key * biasStrides.Key);
            score += TReal.CreateTruncating(added.Span[(int)index]);
        }
        if (variant.Scores.Count == 0)
            return score;
        // The user's C# says float, whatever the rest is computed in.
        float changed = float.CreateTruncating(score);
        foreach (ScoreDelegate mod in variant.Scores)
            changed = mod(changed, at, arguments);
        return TReal.CreateTruncating(changed);
    }

    // A mod that the generator lost would be missing from both sides of every comparison.
    private void CheckMods()
    {
        const BindingFlags All =
            BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        MethodInfo[] methods = variant.Declaration.GetMethods(All);
        int masks = methods.Count(m => m.IsDefined(typeof(MaskModAttribute)));
        int scores = methods.Count(m => m.IsDefined(typeof(ScoreModAttribute)));
        if (masks > variant.Masks.Count || scores > variant.Scores.Count)
            throw new InvalidOperationException(
                $"{variant.Name} has {masks} masks and {scores} score changes in its class, but its Variant has {variant.Masks.Count} and {variant.Scores.Count}."
            );
    }

    private bool Has<TAttribute>()
        where TAttribute : Attribute => Get<TAttribute>() is not null;

    private TAttribute? Get<TAttribute>()
        where TAttribute : Attribute => variant.Declaration.GetCustomAttribute<TAttribute>();
}
