using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Portable;

/// <summary>
/// A variant as portable kernels take it: a struct with its arguments and methods, which ILGPU inlines. A thread has one row, so what
/// depends on the row alone stands before the loop over keys.
/// </summary>
internal sealed class PortableStructEmitter(AttentionSpec spec, Coverage coverage, PortableModsEmitter mods)
{
    private const string Inline = PortableModsEmitter.Inline;

    private readonly List<ExprScope> scopes = new();

    /// <summary>What is found once about the rows of a group.</summary>
    public static string Leaves(PortableModsEmitter mods) => mods.HasRowLeaves ? "RowLeaves" : "int";

    /// <param name="widths">Whether kernels compute in double: one or both.</param>
    public string Emit(IEnumerable<bool> widths)
    {
        string leaves = Leaves(mods),
            handedOn = DeviceParameters.HandedOn(spec);
        string interfaces = string.Join(
            ", ",
            widths
                .Select(wide => $"IPortableMods<{Real(wide)}, {leaves}>")
                .Append("IPortableArguments<KernelArguments>")
        );
        string ofRows = mods.HasRowLeaves ? $"Kernels.LeavesOfRows(call, item, 0, 1{handedOn})" : "0";
        string keyLeaves = mods.HasKeyLeaves ? $", LeavesOfKeys(call, item, firstKey, lastKey, 0, 1{handedOn})" : "";
        string kind =
            mods.HasRest
                ? $"Kernels.Kind(call, item{(mods.HasRowLeaves ? ", rowLeaves" : "")}{keyLeaves}, firstKey, lastKey, isCovered{handedOn})"
            : mods.HasMask ? "isCovered ? PortableTile.Full : PortableTile.Partial"
            : "PortableTile.Full";
        return $$"""
            /// <summary>The variant, with its arguments, for portable kernels.</summary>
            private struct PortableMods : {{interfaces}}
            {{{DeviceParameters.Fields(spec)}}

                public KernelArguments Arguments { {{Inline}} set {{{DeviceParameters.FromChain(spec)}} } }

                public static bool HasRest => {{Bool(mods.HasRest)}};

                public static bool HasSink => {{Bool(spec.Sink)}};

                public static bool HasDropout => {{Bool(spec.Dropout)}};

                {{Inline}}
                public float Sink(int head) => {{(spec.Sink ? "arg_sink[head]" : "0")}};

                {{Inline}}
                public PortableBounds Bounds(in PortableCall call, in PortableItem item, int row, ArrayView<int> fault) =>
                    Kernels.Bounds(call, item, row, fault{{handedOn}});

                {{Inline}}
                public {{leaves}} LeavesOfRows(in PortableCall call, in PortableItem item) => {{ofRows}};

                {{Inline}}
                public int Kind(in PortableCall call, in PortableItem item, in {{leaves}} rowLeaves, int firstKey, int lastKey, bool isCovered) =>
                    {{kind}};

            {{Indent(string.Join("\n\n", widths.Select(Change)), 1)}}
            }
            """;
    }

    private static string Bool(bool value) => value ? "true" : "false";

    private static string Real(bool wide) => wide ? "double" : "float";

    private string Change(bool wide)
    {
        scopes.Clear();
        string unmasked = spec.Scores.IsEmpty ? "" : Loop(wide, masked: false);
        string changes = !mods.HasMask
            ? unmasked
            : $$"""
                if (kind == PortableTile.Partial)
                {
                {{Indent(Loop(wide, masked: true), 1)}}
                }
                """ + (unmasked.Length == 0 ? "" : "\nelse\n{\n" + Indent(unmasked, 1) + "\n}");
        string signature =
            $"public void Change(in PortableCall call, in PortableItem item, in PortableRow<{Real(wide)}> row, int kind, int firstKey, int keys, ArrayView<{Real(wide)}> scores, int stride, ArrayView<int> faultWord)";
        if (changes.Length == 0)
            return $"{Inline}\n{signature} {{ }}";
        bool canFault = scopes.Any(scope => scope.CanFault);
        return $$"""
            {{Inline}}
            {{signature}}
            {
            {{Indent(PortableModsEmitter.UniformFields, 1)}}
                int place = Group.IdxX;
                // Threads without a row repeat the last one, so that they reach nothing that no row reaches.
                int query = item.FirstRow + Math.Min(place, item.Rows - 1), queryPosition = query + item.Offset;
            {{(canFault ? "    bool fault = false;\n" : "")}}{{Indent(changes, 1)}}{{(
                canFault ? "\n    if (fault)\n        PortableTile.Fault(faultWord);" : ""
            )}}
            }
            """;
    }

    private string Loop(bool wide, bool masked)
    {
        HashSet<string> names = new(PortableModsEmitter.Reserved);
        ExprScope mask = mods.Scope(PortableModsEmitter.Exact, names);
        ExprScope ready = mods.Scope(new DeviceDialect(wide), names);
        ExprScope own = mods.Scope(new DeviceDialect(), names);
        scopes.AddRange(new[] { mask, ready, own });
        Value? keep = null;
        if (masked)
        {
            if (mods.HasBounds)
                keep = new("(row.First <= key & key <= row.Last)", ScalarType.Bool, Level.Element, false, false);
            foreach (Expr rest in coverage.Rest)
            {
                keep = keep is { } before ? mask.Name(before, "kept") : null;
                keep = mask.And(keep, mask.Emit(rest, keep));
            }
            keep = mask.Name(keep!.Value, "kept");
        }
        // Ready-made changes in the kernel's arithmetic, the user's own in the float that their C# says.
        Value score = new("score", ScalarType.Float, Level.Element, false, true);
        foreach (Mod change in spec.Scores.Where(change => change.ReadyMade))
        {
            ready.Score = score;
            score = ready.Name(ready.Emit(change.Body, keep), "score");
        }
        foreach (Mod change in spec.Scores.Where(change => !change.ReadyMade))
        {
            own.Score = wide ? score with { Text = $"((float){score.Text})" } : score;
            score = own.Name(own.Emit(change.Body, keep), "score");
        }
        string real = Real(wide);
        string changed = keep is { } kept ? $"{kept.Text} ? {score.Text} : {real}.NegativeInfinity" : score.Text;
        string All(Level level, int indent) =>
            string.Concat(
                new[] { mask, ready, own }.Select(scope => PortableModsEmitter.Section(scope, level, indent))
            );
        return $$"""
            {{(All(Level.Uniform, 0) + All(Level.Row, 0)).TrimStart('\n')}}
            for (int j = 0; j < keys; j++)
            {
                int key = firstKey + j;{{All(Level.Column, 1)}}
                {{real}} score = scores[j * stride + place];{{All(Level.Element, 1)}}
                {{real}} changed = {{changed}};
                scores[j * stride + place] = changed;
            }
            """.TrimStart('\n');
    }
}
