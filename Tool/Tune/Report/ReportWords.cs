using System.Globalization;
using FlashGen.Dsl;
using FlashGen.Tool.Commands;

namespace FlashGen.Tool.Tune.Report;

/// <summary>What things are called on the page.</summary>
internal static class ReportWords
{
    public static string Outcome(TuneOutcome outcome) =>
        outcome switch
        {
            TuneOutcome.Ok => "timed",
            TuneOutcome.TimedOut => "timed out",
            TuneOutcome.OutOfMemory => "out of memory",
            _ => outcome.ToString().ToLowerInvariant(),
        };

    public static string Target(Target target) => TargetDescriptionModule.name(TuneUnits.Kind(target));

    public static string Dims(TuneKernel kernel) =>
        kernel.HeadDim == kernel.ValueDim
            ? string.Create(CultureInfo.InvariantCulture, $"d={kernel.HeadDim}")
            : string.Create(CultureInfo.InvariantCulture, $"d={kernel.HeadDim} dv={kernel.ValueDim}");

    /// <summary>A kernel within its variant and target.</summary>
    public static string Kernel(TuneKernel kernel) =>
        $"{Describe.Type(kernel.Type)} {Dims(kernel)} {kernel.ShapeClass}";

    /// <summary>A rate with its unit: 1.23 T of 1.23e12.</summary>
    public static string Rate(double perSecond, string unit)
    {
        (double value, string prefix) =
            perSecond >= 1e12 ? (perSecond / 1e12, "T")
            : perSecond >= 1e9 ? (perSecond / 1e9, "G")
            : (perSecond / 1e6, "M");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture)} {prefix}{unit}/s"
        );
    }

    /// <summary>How a time stands to the default's.</summary>
    public static string Gain(double milliseconds, double byDefault) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{(byDefault >= milliseconds ? "+" : "−")}{Math.Abs((byDefault / milliseconds) - 1):0.0%}"
        );
}
