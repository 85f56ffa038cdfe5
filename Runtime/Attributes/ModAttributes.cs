namespace FlashGen;

/// <summary>
/// Marks a mask in the user's C#: <c>static bool Name(in Position at, ...)</c>, true where the query sees the key. Further
/// parameters, <see cref="Table{T}"/> or scalars, become arguments of <c>Forward</c>. FlexAttention's <c>mask_mod</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class MaskModAttribute : Attribute;

/// <summary>
/// Marks a score change in the user's C#: <c>static float Name(float score, in Position at, ...)</c>. Further parameters,
/// <see cref="Table{T}"/> or scalars, become arguments of <c>Forward</c>. FlexAttention's <c>score_mod</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false)]
public sealed class ScoreModAttribute : Attribute;
