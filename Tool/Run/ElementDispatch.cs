namespace FlashGen.Tool.Run;

/// <summary>Work that is written once for all element types.</summary>
/// <typeparam name="TResult">What it gives.</typeparam>
internal interface IElementWork<out TResult>
{
    /// <summary>Does the work.</summary>
    /// <typeparam name="T">Half, BFloat16, float or double.</typeparam>
    /// <typeparam name="TLogSumExp">float, or double for double.</typeparam>
    TResult Do<T, TLogSumExp>()
        where T : unmanaged
        where TLogSumExp : unmanaged;
}

/// <summary>From an element type that is known at run time to one in the code.</summary>
internal static class ElementDispatch
{
    /// <summary>Does the work in a type.</summary>
    public static TResult Do<TResult>(ElementType type, IElementWork<TResult> work) =>
        type switch
        {
            ElementType.Float16 => work.Do<Half, float>(),
            ElementType.BFloat16 => work.Do<BFloat16, float>(),
            ElementType.Float32 => work.Do<float, float>(),
            _ => work.Do<double, double>(),
        };
}
