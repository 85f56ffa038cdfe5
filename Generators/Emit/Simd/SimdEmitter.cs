using System;
using System.Collections.Generic;
using System.Linq;
using FlashGen.Dsl;
using FlashGen.Generators.Emit.Expressions;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Simd;

/// <summary>
/// The CPU kernel of a variant for one vector width: the loop over key tiles, and the variant's own parts (row bounds, kinds of tiles,
/// score changes and mask) as vector code. The products and the softmax are the micro-kernels of <see cref="PanelEmitter"/>.
/// </summary>
internal sealed class SimdEmitter
{
    private readonly Declaration declaration;
    private readonly AttentionSpec spec;
    private readonly Coverage coverage;
    private readonly SimdText text;
    private readonly TilePlan plan;
    private readonly SimdTile tile;
    private readonly SimdCoverageEmitter kinds;
    private readonly SimdModsEmitter mods;

    public SimdEmitter(Declaration declaration, Coverage coverage, SimdText text)
    {
        (this.declaration, this.coverage, this.text, plan) = (declaration, coverage, text, text.Plan);
        spec = declaration.Spec;
        tile = SimdTile.Of(plan);
        kinds = new(spec, coverage, tile, DeclareBlockN);
        mods = new(spec, coverage, tile, kinds);
    }

    private string Real => tile.Real;

    private bool HasBounds => kinds.HasBounds;

    /// <summary>The kernel's type: generic in the stored element, except for doubles.</summary>
    public static string KernelName(SimdTile tile) =>
        tile.Wide ? $"SimdWide{tile.VectorBits}" : $"Simd{tile.VectorBits}";

    // Whether the variant itself says how many rows an item has.
    private bool IsDeclared => Planner.declaredSize(TargetKind.Simd, spec) is not null;

    private string Panels
    {
        get
        {
            string planned = text.IsUniform ? Number(Schedule.Panels) : "Sizes(call).Panels";
            return IsDeclared ? planned : $"SimdKeyTile<{StoredType}, {Real}>.Panels(call, {planned}, Rows)";
        }
    }

    public string Emit()
    {
        string vector = $"Vector{tile.VectorBits}";
        string generic = tile.Wide ? "" : "<T>";
        string constraint = tile.Wide ? "" : "\n    where T : unmanaged";
        string lanes =
            CoverageModule.keepsAll(coverage) && spec.Scores.IsEmpty
                ? ""
                : $"""

                    using Lanes = global::FlashGen.Generated.Lanes{tile.VectorBits};
                    using Longs = global::FlashGen.Generated.Longs{tile.VectorBits};
                    """;
        string body = $$"""
            /// <summary>
            /// {{tile.RowVectors}} vectors of {{tile.Lanes}} rows make a panel; {{(text.IsUniform ? $"up to {Schedule.Panels} panels share tiles of {plan.BlockN} keys{(IsDeclared ? "" : ", twice as many those that are copied")}." : "panels share tiles of keys, as many as Sizes says.")}}
            {{Indent(CoverageText.Describe(coverage, "/// "), 0)}}
            /// </summary>
            private readonly unsafe struct {{KernelName(
                tile
            )}}{{generic}} : global::FlashGen.Support.{{(tile.Wide ? "ISimdKernel" : "ISimdRowKernel")}}<SimdArguments>{{constraint}}
            {
                private const int Rows = {{tile.Rows}};
            {{Indent(SizesOfTiles() + DeclareMostKeys, 1)}}

                public static int PanelRows => Rows;

                public static int Panels(in SimdCall call) => {{Panels}};

            {{Indent(Scratch(), 1)}}

            {{Indent(Run(), 1)}}

            {{Indent(Open(), 1)}}

            {{Indent(Close(), 1)}}
            {{Indent(string.Concat(kinds.Emit().Concat(mods.Emit()).Select(part => "\n" + WithoutUnusedLocals(part) + "\n")), 1)}}
            {{Indent(tile.Wide ? NoRows : new SimdRowsEmitter(spec, coverage, tile, text.IsUniform ? "BlockN" : "Sizes(call).BlockN").Emit(), 1)}}

            {{Indent(kinds.PanelStruct(), 1)}}
            }
            """;
        string usings = $$"""
            using global::System;
            using global::System.Runtime.CompilerServices;
            using global::System.Runtime.Intrinsics;
            using global::FlashGen.Support;
            using TileKind = global::FlashGen.Support.SimdTileKind;
            using V = global::System.Runtime.Intrinsics.{{vector}};
            using Floats = global::System.Runtime.Intrinsics.{{vector}}<float>;
            using Ints = global::System.Runtime.Intrinsics.{{vector}}<int>;
            using UInts = global::System.Runtime.Intrinsics.{{vector}}<uint>;
            using MicroKernels = global::FlashGen.Generated.{{tile.ClassName}};{{lanes}}
            """;
        return $$"""
            {{Header}}
            // {{spec.Name}} on the CPU, {{tile.VectorBits}} bits at a time.
            // Plan: {{PlanText.print(plan)}}{{string.Concat(text.Reasons().Select(reason => "\n// " + reason))}}

            {{Names.InType(declaration, usings, body)}}
            """.Replace("\r\n", "\n");
    }

    // Doubles compute by panels alone.
    private const string NoRows = """

        public static bool HasRows => false;

        public static nint RowScratchBytes(in SimdCall call) => 0;

        public static void RunRows(in SimdCall call, in SimdArguments arguments, in SimdSplit split, byte* scratch, SimdPartial* partials, ref SimdOutcome outcome) =>
            throw new NotSupportedException();
        """;

    private SimdSchedule Schedule => ((Schedule.SimdSchedule)plan.Schedule).Item;

    private string DeclareBlockN => text.IsUniform ? "" : "\n    int BlockN = TileKeys(call);";

    // Keys that are computed at once.
    private string MostKeys =>
        kinds.HasKeyLeaves ? "MostKeys"
        : text.IsUniform ? "BlockN"
        : "TileKeys(call)";

    // Of tiles alike as many as a tile has that no table decides; of doubles half of it.
    private string DeclareMostKeys =>
        kinds.HasKeyLeaves ? $"\nprivate const int MostKeys = {Math.Max(text.MostKeys, tile.Wide ? 64 : 128)};" : "";

    // A size for all calls is a constant.
    private string SizesOfTiles() =>
        text.IsUniform
            ? $"private const int BlockN = {plan.BlockN};"
            : text.SizesMember(spec)
                + (tile.Wide ? "\n\nprivate static int TileKeys(in SimdCall call) => Sizes(call).BlockN;" : "");

    private string StoredType => tile.Wide ? "double" : "T";

    private string Scratch() =>
        $$"""
            public static nint ScratchBytes(in SimdCall call, int panels) =>
                sizeof({{Real}}) * ({{MostKeys}} * Rows + (nint)panels * Rows * (call.HeadDim + call.ValueDim + 6)) + SimdKeyTile<{{StoredType}}, {{Real}}>.Bytes(call, {{MostKeys}});
            """;

    private string Run()
    {
        string join = kinds.HasKeyLeaves
            ? """

                    Panel all = panels[0];
                    for (int p = 1; p < count; p++)
                        Join(&all, panels + p);
                """
            : "";
        // Where a tile of keys may be empty for all panels the next one that is not, and those alike, are known before they are needed.
        string computedKeys = kinds.HasKeyLeaves ? "MostKeys" : "BlockN";
        string begin = kinds.HasKeyLeaves
            ? "NextTile(call, arguments, item, &all, first / BlockN, last, count, ref outcome, out int nextTiles, out KeyLeaves nextLeaves)"
            : "first / BlockN";
        string next = kinds.HasKeyLeaves
            ? """
                KeyLeaves keyLeaves = nextLeaves;
                        int tiles = nextTiles;
                        next = NextTile(call, arguments, item, &all, index + tiles, last, count, ref outcome, out nextTiles, out nextLeaves);
                """
            : "next = index + 1;";
        (string keys, string nextKeys) = kinds.HasKeyLeaves
            ? ("tiles * BlockN", "nextTiles * BlockN")
            : ("BlockN", "BlockN");
        string steps =
            kinds.HasKeyLeaves ? $"(end - start + {tile.KeyUnroll - 1}) / {tile.KeyUnroll}"
            : text.IsUniform ? Number((plan.BlockN + tile.KeyUnroll - 1) / tile.KeyUnroll)
            : $"(BlockN + {tile.KeyUnroll - 1}) / {tile.KeyUnroll}";
        string passLeaves = kinds.HasKeyLeaves ? ", keyLeaves" : "";
        string kind = kinds.HasMask
            ? $"TileKind kind = from < to ? Kind(call, arguments, item, panel, from, to - 1{passLeaves}) : TileKind.Empty;"
            : "TileKind kind = from < to ? TileKind.Full : TileKind.Empty;";
        return $$"""
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            public static void Run(in SimdCall call, in SimdArguments arguments, in SimdItem item, byte* scratch, ref SimdOutcome outcome)
            {
                int headDim = call.HeadDim, valueDim = call.ValueDim;{{DeclareBlockN}}
                {{Real}}* scores = ({{Real}}*)scratch, copy = scores + {{computedKeys}} * Rows;
                {{Real}}* memory = copy + SimdKeyTile<{{StoredType}}, {{Real}}>.Bytes(call, {{computedKeys}}) / sizeof({{Real}});
                SimdKeyTile<{{StoredType}}, {{Real}}> tile = default;
                SimdAhead ahead = default;

                int count = (item.Rows + Rows - 1) / Rows;
                Panel* panels = stackalloc Panel[{{(IsDeclared ? 1 : 2) * text.MostPanels}}];
                int first = int.MaxValue, last = -1;
                for (int p = 0; p < count; p++)
                {
                    Open(call, arguments, item, p * Rows, memory + (nint)p * Rows * (headDim + valueDim + 6), panels + p, ref outcome);
                    first = Math.Min(first, panels[p].First);
                    last = Math.Max(last, panels[p].Last);
                }{{join}}

                for (int index = {{begin}}, next; (long)index * BlockN <= last; index = next)
                {
                    {{next}}
                    int start = index * BlockN, end = Math.Min(start + {{keys}}, last + 1);
                    tile.Locate(call, item, start, end - start, count > 1, copy);
                    ahead.Begin<{{StoredType}}>(call, item, start, (int)Math.Min((long)next * BlockN, last + 1L), last, {{nextKeys}}, count * ({{steps}} + valueDim / {{tile.ValueUnroll}}));
                    for (int p = 0; p < count; p++)
                    {
                        Panel* panel = panels + p;
                        // Only the keys that some row of the panel may keep.
                        int from = Math.Max(start, panel->First), to = Math.Min(end, panel->Last + 1);
                        {{kind}}
                        if (kind == TileKind.Empty)
                        {
                            outcome.Empty++;
                            continue;
                        }
                        {{Real}}* keys = tile.KeysFrom(call, from - start);
            {{Indent(LastOnly + WithKnownMaxima() + KeepMaxima + ScoresAndChanges(), 3)}}
                        MicroKernels.Softmax(scores, to - from, panel->Padded, panel->Maximum, panel->NewMaximum, panel->Sum, panel->Fade);{{Dropout()}}
                        {{Values}}
                    }
                }

                for (int p = 0; p < count; p++)
                    Close(call, item, p * Rows, panels + p);
            }
            """;
    }

    private string KeepMaxima =>
        $"new Span<{Real}>(panel->Maximum, Rows).CopyTo(new Span<{Real}>(panel->NewMaximum, Rows));\n";

    // Tiles that every row keeps all of, and whose scores nothing changes.
    private string WithKnownMaxima() =>
        tile.TakesKnownMaxima && spec.Scores.IsEmpty
            ? $$"""
                if (kind == TileKind.Full{{(tile.SplitsLast ? " && lastOnly == to" : "")}} && MicroKernels.Probabilities(keys, tile.KeyStride, to - from, panel->Queries, headDim, scores, panel->Maximum, panel->NewMaximum, panel->Sum, panel->Fade, ref ahead))
                {
                    {{(
                    kinds.HasKeyLeaves ? "outcome.Full += (to - 1) / BlockN - from / BlockN + 1" : "outcome.Full++"
                )}};{{Dropout()}}
                    {{Values}}
                    continue;
                }

                """
            : "";

    // Score changes are for all keys of a tile, the mask for those that not every row keeps. Scores that are still to be changed or
    // masked raise no maximum: theirs goes where the fade will be.
    private string ScoresAndChanges()
    {
        bool hasScores = !spec.Scores.IsEmpty;
        string changed = hasScores ? "panel->Fade" : "panel->NewMaximum";
        if (!kinds.HasMask)
            return Scores("from", "to", "scores", changed)
                + "\noutcome.Full++;"
                + (hasScores ? "\nChange(call, arguments, item, panel, from, to - from, scores, ref outcome);" : "");
        string inside = coverage.Rest.IsEmpty
            ? $"SimdBounds.Inside(from, to, panel->AllFirst, panel->AllLast, {tile.KeyUnroll})"
            : "(from, from)";
        string computed = kinds.HasKeyLeaves ? "(to - 1) / BlockN - from / BlockN + 1" : "1";
        const string Part = "(call, arguments, item, panel, a, b - a, s, ref outcome);";
        string change = hasScores ? $"\n    else\n        Change{Part}" : "";
        return $$"""
            (int low, int high) = (from, to);
            if (kind == TileKind.Partial)
                (outcome.Partial, (low, high)) = (outcome.Partial + {{computed}}, {{inside}});
            else
                outcome.Full += {{computed}};
            // Between low and high every row keeps every key.
            for (int part = 0; part < 3; part++)
            {
                (int a, int b) = part == 0 ? (low, high) : part == 1 ? (from, low) : (high, to);
                if (a >= b)
                    continue;
                {{Real}}* s = scores + (a - from) * Rows, top = {{(
                hasScores ? changed : $"part == 0 ? {changed} : panel->Fade"
            )}};
                {{Scores("a", "b", "s", "top")}}
                if (part > 0)
                    {{(hasScores ? "ChangeAndMask" : "Mask")}}{{Part}}{{change}}
            }
            """;
    }

    private string LastOnly =>
        tile.SplitsLast
            ? $$"""
                // From here on only rows of the last vector keep keys: half of a panel under a causal mask's edge, all of one with so few rows.
                int lastOnly = Math.Clamp(panel->LastBefore + 1, from, to), lastVector = panel->Padded - {{tile.Lanes}};

                """
            : "";

    private string Scores(string a, string b, string scores, string maximum)
    {
        string keys = a == "from" ? "keys" : $"keys + ({a} - from) * tile.KeyStride";
        return $"MicroKernels.Scores({keys}, tile.KeyStride, {b} - {a}, {Last(a)}panel->Queries, headDim, {scores}, {maximum}, ref ahead);";
    }

    private string Values =>
        $"MicroKernels.Values(tile.ValuesFrom(call, from - start), tile.ValueStride, to - from, {Last("from")}scores, panel->Fade, panel->Outputs, valueDim, ref ahead);";

    private string Last(string from) => tile.SplitsLast ? $"lastOnly - {from}, lastVector, " : "";

    private string Dropout() =>
        spec.Dropout
            ? "\n            SimdDropout.Apply(call, item, panel->FirstRow, panel->Padded, Rows, from, to - from, scores);"
            : "";

    private string Open()
    {
        // Scores come out in units of log 2 where nothing but the mask changes them; doubles stay in natural units.
        string factor =
            tile.Wide || !spec.Scores.IsEmpty ? $"({Real})call.Scale" : "(float)(call.Scale * 1.4426950408889634)";
        string pack = tile.Wide ? "SimdPanels.Pack" : "SimdPanels.Pack<T>";
        string sink = spec.Sink
            ? $$"""

                // The sink is a key without a value: the sum starts with it.
                {{Real}} sink = call.Sink[item.Head]{{(tile.Wide ? "" : " * 1.44269504f")}};
                new Span<{{Real}}>(panel->Maximum, Rows).Fill(sink);
                new Span<{{Real}}>(panel->Sum, Rows).Fill({{Real}}.IsNegativeInfinity(sink) ? 0 : 1);
                """
            : $$"""

                new Span<{{Real}}>(panel->Maximum, Rows).Fill({{Real}}.NegativeInfinity);
                new Span<{{Real}}>(panel->Sum, Rows).Clear();
                """;
        string bounds = HasBounds
            ? "\n    Bounds(call, arguments, item, panel, ref outcome);"
            : "\n    (panel->First, panel->Last) = (item.KeyLength == 0 ? int.MaxValue : 0, item.KeyLength - 1);"
                + (
                    tile.SplitsLast
                        ? $"\n    panel->LastBefore = panel->Padded == {tile.Lanes} ? -1 : panel->Last;"
                        : ""
                );
        string leaves = kinds.HasRowLeaves ? "\n    LeavesOfRows(call, arguments, item, panel);" : "";
        return $$"""
            /// <summary>Packs a panel's queries and finds the keys that its rows may keep.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void Open(in SimdCall call, in SimdArguments arguments, in SimdItem item, int row, {{Real}}* memory, Panel* panel, ref SimdOutcome outcome)
            {
                int headDim = call.HeadDim, valueDim = call.ValueDim;
                panel->Queries = memory;
                panel->Outputs = panel->Queries + (nint)Rows * headDim;
                panel->Maximum = panel->Outputs + (nint)Rows * valueDim;
                panel->NewMaximum = panel->Maximum + Rows;
                panel->Sum = panel->NewMaximum + Rows;
                panel->Fade = panel->Sum + Rows;
                panel->FirstKeys = (int*)(panel->Fade + Rows);
                panel->LastKeys = panel->FirstKeys + Rows;
                panel->FirstRow = item.FirstRow + row;
                panel->Rows = Math.Min(Rows, item.Rows - row);
                panel->Padded = (panel->Rows + {{tile.IntLanes - 1}}) / {{tile.IntLanes}} * {{tile.IntLanes}};
                {{pack}}(call.QueryRow<{{StoredType}}>(item) + row * call.QueryStrides.Row, call.QueryStrides.Row, panel->Rows, headDim, {{factor}}, panel->Queries, Rows);
                new Span<{{Real}}>(panel->Outputs, Rows * valueDim).Clear();{{Indent(sink, 1)}}{{bounds}}{{leaves}}
            }
            """;
    }

    private string Close()
    {
        string factor = spec.Dropout ? $"({Real})call.DropoutScale" : "1";
        string logSumExp = tile.Wide ? "double" : "float";
        return $$"""
            /// <summary>Divides by the sums and stores outputs and log-sum-exp.</summary>
            [MethodImpl(MethodImplOptions.AggressiveOptimization)]
            private static void Close(in SimdCall call, in SimdItem item, int row, Panel* panel)
            {
                {{logSumExp}}* logSumExp = call.LogSumExpRow<{{logSumExp}}>(item);
                SimdPanels.Unpack(
                    panel->Outputs, Rows, panel->Rows, call.ValueDim, panel->Maximum, panel->Sum, {{factor}},
                    call.OutputRow<{{StoredType}}>(item) + row * call.OutputStrides.Row, call.OutputStrides.Row,
                    logSumExp == null ? null : logSumExp + row);
            }
            """;
    }
}
