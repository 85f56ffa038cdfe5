namespace FlashGen;

// Ready-made score changes. The order is fixed: scale, soft cap, ALiBi, bias, then the user's own in source order.

/// <summary>
/// The factor of query * key; without this attribute it is 1 / sqrt(headDim). Any finite number, zero and negative too.
/// torch's <c>scale</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class ScaleAttribute : Attribute
{
    /// <summary>A scale given at run time: the argument <c>scale</c>, float.</summary>
    public ScaleAttribute() { }

    /// <summary>A constant scale.</summary>
    /// <param name="scale">Any finite number.</param>
    public ScaleAttribute(float scale) => Value = scale;

    /// <summary>The constant scale; null when it is a run-time argument.</summary>
    public float? Value { get; }
}

/// <summary>Bounds scores smoothly: cap * tanh(score / cap), as in Gemma 2.</summary>
/// <param name="cap">The bound, finite and above 0.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class SoftCapAttribute(float cap) : Attribute
{
    /// <summary>The bound.</summary>
    public float Cap { get; } = cap;

    /// <summary>
    /// Whether tanh may be off by 2^-11, for speed: on tensor cores it is then one instruction (PTX ISA, tanh.approx) instead of two and
    /// what joins them. Other targets compute it as without. Off unless you say so.
    /// </summary>
    public bool Approximate { get; init; }
}

/// <summary>
/// Attention with linear biases (Press et al. 2022): score - slope * |pos - key|.
/// Run-time argument: <c>slopes</c>, float (queryHeads) or (batch, queryHeads).
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class AlibiAttribute : Attribute;

/// <summary>
/// An additive bias: score + bias[batch, head, query, key]. torch's float <c>attn_mask</c>.
/// Run-time arguments: <c>bias</c>, float, and <c>biasStrides</c>, <see cref="BiasStrides"/>, where 0 broadcasts an axis.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class BiasAttribute : Attribute;
