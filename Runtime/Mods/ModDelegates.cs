namespace FlashGen;

/// <summary>A user's mask as compiled C#: true where the query sees the key.</summary>
/// <param name="at">The pair.</param>
/// <param name="arguments">The run-time arguments, by name.</param>
public delegate bool MaskDelegate(in Position at, ModArguments arguments);

/// <summary>A user's score change as compiled C#.</summary>
/// <param name="score">The score so far.</param>
/// <param name="at">The pair.</param>
/// <param name="arguments">The run-time arguments, by name.</param>
/// <returns>The new score; -inf means not kept.</returns>
public delegate float ScoreDelegate(float score, in Position at, ModArguments arguments);
