namespace FlashGen;

/// <summary>
/// An attention sink: exp(sink[head]) joins the softmax denominator, without a value (gpt-oss; Xiao et al. 2024).
/// Run-time argument: <c>sink</c>, float (queryHeads).
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class SinkAttribute : Attribute;

/// <summary>
/// Dropout after softmax, the same mask on every target and for every tile size (Philox4x32-10 by position). torch's <c>dropout_p</c>.
/// Run-time argument: <c>dropout</c>, <see cref="Dropout"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class DropoutAttribute : Attribute;
