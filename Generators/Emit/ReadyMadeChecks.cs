using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;

namespace FlashGen.Generators.Emit;

/// <summary>The checks of ready-made attributes' run-time arguments against the shape, as both Forwards make them.</summary>
internal static class ReadyMadeChecks
{
    /// <summary>The statements, each on a line of its own.</summary>
    public static string Of(AttentionSpec spec)
    {
        List<string> checks = new();
        if (spec.Scale.IsRuntimeScale)
            checks.Add($"CallCheck.Scale({Names.Argument("scale")});");
        if (spec.HasReadyMade("Alibi"))
            checks.Add($"CallCheck.Slopes(in shape, {Names.Argument("slopes")}.Length);");
        if (spec.HasReadyMade("Bias"))
            checks.Add(
                $"CallCheck.Bias(in shape, {Names.Argument("bias")}.Length, in {Names.Argument("biasStrides")});"
            );
        if (spec.HasReadyMade("PrefixLm"))
            checks.Add($"CallCheck.Prefix(in shape, {Names.Argument("prefix")}.Length);");
        if (spec.HasReadyMade("Document"))
            checks.Add(
                $"CallCheck.Documents(in shape, {Names.Argument("queryDocument")}.Length, {Names.Argument("keyDocument")}.Length);"
            );
        if (spec.Sink)
            checks.Add($"CallCheck.Sink(in shape, {Names.Argument("sink")}.Length);");
        return string.Concat(checks.Select(check => "\n" + check));
    }
}
