/// The tests tested: faults put into expressions, coverage and emitted kernels on purpose must not pass the property.
module FlashGen.Tests.Kernels.MutationTests

open System
open System.Text.RegularExpressions
open Expecto
open FlashGen
open FlashGen.Dsl
open FlashGen.Generators.Emit
open FlashGen.Generators.Emit.Simd
open FlashGen.Tests
open FlashGen.Tests.Generator

/// The declarations that faults are put into.
let private windowed =
    """
[Attention(Types = ElementTypes.Float32)]
[SlidingWindow(40, 9), Alibi, Dropout]
public static partial class Windowed;
"""

/// The same with a window that holds whole tiles.
let private wide = windowed.Replace("40, 9", "200, 9")

let private masked =
    """
[Attention(Types = ElementTypes.Float32)]
public static partial class Masked
{
    [MaskMod]
    static bool Keep(in Position at, Table<int> groups) =>
        at.Query % 4 != 3
        && at.Key >= at.QueryPosition - 90
        && at.Key <= at.QueryPosition + 30
        && groups[at.Key] >= groups[at.Key / 2]
        && (at.Key - at.QueryPosition) / 4 % 4 != -2
        && !(Math.Abs(at.Key - at.QueryPosition) < 3)
        && at.Key * 0.1f + at.Query * 0.3f - at.Key * 0.1f != at.Query * 0.3f + Math.Min(at.Head, 1);

    [ScoreMod]
    static float Change(float score, in Position at, Table<float> gains) =>
        groupsOf(at) > 0 ? score - gains[at.Head] : score;

    static int groupsOf(in Position at) => at.Key % 2;
}
"""

let private documents =
    """
[Attention(Types = ElementTypes.Float32)]
[Document]
public static partial class Documents;
"""

type private Fault =
    /// In an emitted file whose name holds this, every match of a pattern becomes another text.
    | InText of file: string * pattern: string * replacement: string
    /// In what the masks and score changes say.
    | InExpressions of (Expr -> Expr)
    /// In what is known of the tiles.
    | InCoverage of (Coverage -> Coverage)

let rec private everywhere rule expr = rule (Expr.map (everywhere rule) expr)

let private int value = Literal(IntLiteral value)

let private addTo delta expr =
    match Expr.typeOf expr with
    | Long -> Binary(Add, expr, Literal(LongLiteral(int64 delta)))
    | _ -> Binary(Add, expr, int delta)

let private swapEnds =
    everywhere (fun expr ->
        match expr with
        | Local(name, kind) when name.EndsWith(".low", StringComparison.Ordinal) ->
            Local(name.Replace(".low", ".high"), kind)
        | Local(name, kind) when name.EndsWith(".high", StringComparison.Ordinal) ->
            Local(name.Replace(".high", ".low"), kind)
        | _ -> expr)

let private always value = Literal(BoolLiteral value)

let private bits = string Widths.own
let private panel = $"Panel{bits}"
let private kernel = $".Simd{bits}."

let private faults: (string * string * Fault) list =
    [
        // The micro-kernels.
        "sums are not faded",
        windowed,
        InText(panel, @"V\.\w+\(V\.Load\(sum \+ row\), shrink, sum0 \+ sum1\)", "(V.Load(sum + row) + sum0 + sum1)")
        "outputs are not faded", windowed, InText(panel, @"V\.Load\(fade\)", "V.Create(1f)")
        "a vector of queries is loaded twice", windowed, InText(panel, @"V\.Load\(query \+ \d+\)", "V.Load(query)")
        "a key of the register tile is read twice", windowed, InText(panel, @"V\.Create\(k1\[d\]\)", "V.Create(k0[d])")
        "a value column is read twice", windowed, InText(panel, @"V\.Create\(value\[1\]\)", "V.Create(value[0])")
        "no guard where nothing is kept so far",
        masked,
        InText(
            panel,
            @"Reals origin = V\.ConditionalSelect\(V\.Equals\(top, lowest\), Reals\.Zero, top\)",
            "Reals origin = top"
        )
        "the maximum does not move", windowed, InText(panel, @"top\.Store\(maximum \+ row\);", "")
        "a probability counts twice", windowed, InText(panel, @"sum1 \+= p2 \+ p3", "sum1 += p2 + p2")
        "the last dimension is left out",
        windowed,
        InText(panel, @"d < headDim; d\+\+, query", "d < headDim - 1; d++, query")
        // Lanes.
        "all lanes have one number", windowed, InText($"Lanes{bits}", @"get => Ints\.Indices", "get => Ints.Zero")
        // The kernels' own text.
        "keys beyond the lengths are read", documents, InText(kernel, @"keyLength - 1", "call.KeyLength - 1")
        "the offset is lost", windowed, InText(kernel, @"query \+ V\.Create\(item\.Offset\)", "query")
        "the last key of a row is not tested",
        windowed,
        InText(kernel, @" & V\.GreaterThanOrEqual\(last, V\.Create\(key\)\)", "")
        "every tile is full",
        windowed,
        InText(kernel, @"return Lanes\.All\(all\) \? TileKind\.Full : TileKind\.Partial", "return TileKind.Full")
        "every tile is empty", windowed, InText(kernel, @"any \|=", "any &=")
        "every tile is masked",
        wide,
        InText(kernel, @"return Lanes\.All\(all\) \? TileKind\.Full : TileKind\.Partial", "return TileKind.Partial")
        "scores keep the natural unit", windowed, InText(kernel, @" \* 1\.44269504f", "")
        "dropped weights are not made up for", windowed, InText(kernel, @"\(float\)call\.DropoutScale", "1f")
        "dropout is drawn for the tile's first key",
        windowed,
        InText(kernel, @"(SimdDropout\.Apply\(call, item, panel->FirstRow, panel->Padded, Rows, )from", "$1start")
        "the distance keeps its sign", windowed, InText(kernel, @"V\.Abs\(", "(")
        "keys are taken to lie without gaps", windowed, InText(kernel, @"tile\.KeyStride", "headDim")
        "of a tile too many keys are taken to be kept by all",
        wide,
        InText(kernel, @"panel->AllLast, ", "panel->AllLast + 8, ")
        "the last few keys are scored as the first ones",
        windowed,
        InText(panel, @"keys \+ \(whole - \d+\) \* stride", "keys")
        "the last vector of rows has the queries of the first",
        windowed,
        InText(panel, @"queries \+ lastVector", "queries")
        "the last vector of rows fades twice",
        windowed,
        InText(panel, @"V\.Create\(1f\)\.Store\(fade \+ lastVector\);", "")
        "the last vector of rows is taken for a panel's second",
        windowed,
        InText(kernel, @"panel->Padded - \d+", "$0 / 2")
        "a second row takes the fade of the first",
        windowed,
        InText(panel, @"(valueDim \+ d\] \*=) fades\[r\]", "$1 fades[0]")
        "a second row takes the probabilities of the first",
        windowed,
        InText(panel, @"probabilities\[1 \* scoreStride \+ j\]", "probabilities[j]")
        "the scale is of the value dimension",
        windowed,
        InText(".Windowed.Simd.|Windowed.Simd.", @"Math\.Sqrt\(shape\.HeadDim\)", "Math.Sqrt(shape.ValueDim)")
        "masked scores become zero", masked, InText(kernel, @"Create\(float\.NegativeInfinity\)", "Create(0f)")
        // Coverage.
        "no first key", windowed, InCoverage(fun coverage -> { coverage with First = [] })
        "the first key is one late",
        windowed,
        InCoverage(fun coverage ->
            { coverage with
                First = List.map (addTo 1) coverage.First
            })
        "the last key is one early",
        windowed,
        InCoverage(fun coverage ->
            { coverage with
                Last = List.map (addTo -1) coverage.Last
            })
        "row conditions are lost", masked, InCoverage(fun coverage -> { coverage with Conditions = [] })
        "the rest of the mask is lost", masked, InCoverage(fun coverage -> { coverage with Rest = [] })
        "the rest is called full", documents, InCoverage(fun coverage -> { coverage with RestFull = always true })
        "the rest is called empty",
        documents,
        InCoverage(fun coverage ->
            { coverage with
                RestEmpty = always true
            })
        "least and greatest change places",
        documents,
        InCoverage(fun coverage ->
            { coverage with
                RestEmpty = swapEnds coverage.RestEmpty
            })
        // What a wrong Simplify would make of an expression.
        "<= becomes <",
        masked,
        InExpressions(
            everywhere (function
                | Binary(Le, a, b) -> Binary(Lt, a, b)
                | other -> other)
        )
        ">= becomes >",
        masked,
        InExpressions(
            everywhere (function
                | Binary(Ge, a, b) -> Binary(Gt, a, b)
                | other -> other)
        )
        "a division of negatives becomes a shift",
        masked,
        InExpressions(
            everywhere (function
                | Binary(Div, a, Literal(IntLiteral 4)) -> Binary(Shr, a, int 2)
                | other -> other)
        )
        "a remainder of negatives becomes bits",
        masked,
        InExpressions(
            everywhere (function
                | Binary(Rem, a, Literal(IntLiteral 4)) -> Binary(BitAnd, a, int 3)
                | other -> other)
        )
        "not less becomes greater",
        masked,
        InExpressions(
            everywhere (function
                | Unary(Not, Binary(Lt, a, b)) -> Binary(Gt, a, b)
                | other -> other)
        )
        "a float is added and subtracted for nothing",
        masked,
        InExpressions(
            everywhere (function
                | Binary(Sub, Binary(Add, a, b), c) when a = c -> b
                | other -> other)
        )
        "the branches change places",
        masked,
        InExpressions(
            everywhere (function
                | Select(c, a, b) -> Select(c, b, a)
                | other -> other)
        )
        "the smaller becomes the greater",
        masked,
        InExpressions(
            everywhere (function
                | Binary(Min, a, b) -> Binary(Max, a, b)
                | other -> other)
        )
        "a subtraction is turned round",
        masked,
        InExpressions(
            everywhere (function
                | Binary(Sub, a, b) -> Binary(Sub, b, a)
                | other -> other)
        )
    ]

/// A source's compilation, its generated files, and the declaration behind them.
let private baseline =
    let cache = Collections.Concurrent.ConcurrentDictionary<string, Lazy<_>>()

    fun (name: string) (source: string) ->
        cache
            .GetOrAdd(
                source,
                fun source ->
                    lazy
                        (let compilation, generated = InMemory.generate source
                         compilation, generated, Compile.declaration compilation name)
            )
            .Value

let private mapMods rule (spec: AttentionSpec) =
    let change (change: Mod) = { change with Body = rule change.Body }

    { spec with
        Masks = List.map change spec.Masks
        Scores = List.map change spec.Scores
    }

/// The kernels of a declaration, by the file names that the generator gives them.
let private kernels (declaration: Declaration) coverage =
    [
        for text in SimdPlans.Kernels declaration ->
            $"{declaration.Spec.Name}.{SimdEmitter.KernelName(SimdTile.Of text.Plan)}.g.cs",
            SimdEmitter(declaration, coverage, text).Emit()
    ]

let private replaceFiles (changed: (string * string) list) generated =
    let texts = Map changed

    Expect.isNonEmpty
        (generated
         |> List.filter (fun (path, text) -> Map.tryFind path texts |> Option.exists ((<>) text)))
        "the fault changes an emitted file"

    [
        for path, text in generated -> path, (Map.tryFind path texts |> Option.defaultValue text)
    ]

let private mutate fault (declaration: Declaration) generated =
    match fault with
    | InText(file, pattern, replacement) ->
        let isMeant (path: string) =
            file.Split '|' |> Array.exists path.Contains

        generated
        |> replaceFiles
            [
                for path, text in generated do
                    if isMeant path then
                        path, Regex.Replace(text, pattern, replacement)
            ]
    | InExpressions rule ->
        let wrong =
            { declaration with
                Spec = mapMods rule declaration.Spec
            }

        replaceFiles (kernels wrong (Coverage.ofSpec wrong.Spec)) generated
    | InCoverage rule -> replaceFiles (kernels declaration (rule (Coverage.ofSpec declaration.Spec))) generated

/// Whether anything is wrong with a variant: its numbers, or for bounds alone its counts of tiles.
let private isCaught (variant: AttentionVariant) =
    let wrongTiles () =
        variant.Name = "Windowed"
        && (let random = Random 5
            let shape = AttentionShape(1, 2, 1, 150, 400, 8)
            let arguments = Arguments.random variant shape random

            TileTests.count variant shape arguments
            <> TileTests.needed variant shape arguments)

    let wrongNumbers number =
        not (List.isEmpty (PropertyTests.faultsHere variant [ Cases.make 11 variant number ]))

    wrongTiles () || Seq.exists wrongNumbers [ 4; 1; 2; 3; 0; 6; 7 ]

let private nameOf source =
    Regex.Match(source, @"class (\w+)").Groups[1].Value

[<Tests>]
let mutations =
    testList
        "Kernels.Mutations"
        [
            for source in [ windowed; masked; documents ] do
                test $"{nameOf source} itself passes" {
                    let compilation, generated, _ = baseline (nameOf source) source
                    let variant = InMemory.load (compilation, generated) |> List.exactlyOne
                    Expect.isFalse (isCaught variant) "nothing is wrong with it"
                }

            for title, source, fault in faults do
                test $"caught: {title}" {
                    let compilation, generated, declaration = baseline (nameOf source) source

                    let variant =
                        InMemory.load (compilation, mutate fault declaration generated)
                        |> List.exactlyOne

                    Expect.isTrue (isCaught variant) "the property refutes it"
                }
        ]
