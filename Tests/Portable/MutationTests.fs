/// The tests tested: faults put on purpose into an emitted device kernel, or the text that it shares, must not pass.
module FlashGen.Tests.Portable.MutationTests

open System
open System.Text.RegularExpressions
open Expecto
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels

module Tiles = FlashGen.Tests.Portable.TileTests
module Properties = FlashGen.Tests.Portable.PropertyTests

let private windowed =
    """
[Attention(96, Types = ElementTypes.Float32)]
[SlidingWindow(40, 9), Alibi, Dropout, Sink]
public static partial class Windowed;
"""

let private bands =
    """
[Attention(8, Types = ElementTypes.Float32)]
public static partial class Bands
{
    [MaskMod]
    static bool Keep(in Position at) =>
        at.Key >= (at.Query / 2 % 2 == 0 ? 0 : 70) && at.Key < (at.Query / 2 % 2 == 0 ? 20 : 1000);
}
"""

let private documents =
    """
[Attention(8, Types = ElementTypes.Float32)]
[Document]
public static partial class Documents;
"""

/// What is wrong, where, and what every match of a pattern becomes.
let private faults =
    [
        "outputs are not faded", windowed, @"Float4\.Scale\((o\d+_\d+), f\d\.\w\)", "$1"
        "sums are not faded", windowed, @"row\.Sum \* fade \+ sum", "row.Sum + sum"
        "the maximum does not move", windowed, @"row\.Maximum = top;", ""
        "a row of queries is read twice", windowed, @"q1 = queries\[query \+ \d+\]", "q1 = queries[query]"
        "a key of the register tile is read twice", windowed, @"k1 = keys\[key \+ \d+\]", "k1 = keys[key]"
        "a block of values is read twice", windowed, @"(v1 = values\[key \* \d+ \+ threadColumn) \+ 8", "$1"
        "queries of the last slice are kept", windowed, @"\| call\.HeadDim > 64", "| false"
        "further value columns are left out", windowed, @"if \(columns > \d+\)", "if (false)"
        "the second block of columns is stored over the first", windowed, @"outputStart \+ 32", "outputStart"
        "scores are not scaled", windowed, @"Float4\.Scale\((s\d_\d), tensors\.Scale\)", "$1"
        "the offset is lost", windowed, @"query \+ item\.Offset", "query"
        "the mask is not run", windowed, @"if \(kind == PortableTile\.Partial\)", "if (false)"
        "keys beyond the lengths have a part",
        windowed,
        @"for \(int j = keys; j < 32; j\+\+\)",
        "for (int j = 32; j < 32; j++)"
        "no guard where nothing is kept so far", documents, @"origin = top == .*;", "origin = top;"
        "the sink is forgotten", windowed, @"row\.Sum = sink == .*;", "row.Sum = 0;"
        "dropped weights are not made up for", windowed, @"65536 / \(float\)[^:]*: 1", "1 : 1"
        "every tile is masked", windowed, @"range\.Covers\(firstKey, lastKey\)", "false"
        "tiles between bands are computed", bands, @"range\.HasHoles &&", "false &&"
        "documents apart are computed", documents, @"kind = PortableTile\.Empty", "kind = PortableTile.Partial"
        "what is left of a tile is called full",
        documents,
        @"\? PortableTile\.Full : PortableTile\.Partial",
        "? PortableTile.Full : PortableTile.Full"
    ]

let private nameOf source =
    Regex.Match(source, @"class (\w+)").Groups[1].Value

let private baseline =
    let cache = Collections.Concurrent.ConcurrentDictionary<string, Lazy<_>>()

    fun source -> cache.GetOrAdd(source, fun source -> lazy InMemory.generate source).Value

/// Whether anything is wrong with a variant on a device: its counts of tiles, or its numbers.
let private isCaught (variant: AttentionVariant) =
    let wrongTiles () =
        let random = Random 5
        let struct (headDim, valueDim) = variant.Dims[0]
        let shape = AttentionShape(1, 1, 1, 70, 129, headDim, valueDim)
        let arguments = Arguments.random variant shape random
        let counted, plan = Tiles.count variant shape arguments
        counted <> Tiles.needed variant shape arguments plan

    let wrongNumbers number =
        use kernels = variant.Load Devices.simulator.Value
        not (List.isEmpty (Properties.faults kernels variant [ Cases.makeSmall 11 variant number ]))

    (variant.Name <> "Documents" && wrongTiles ())
    || Seq.exists wrongNumbers (seq { 0..7 })
    || wrongTiles ()

[<Tests>]
let mutations =
    testSequenced (
        testList
            "Portable.Mutations"
            [
                for source in [ windowed; bands; documents ] do
                    test $"{nameOf source} itself passes" {
                        let variant = InMemory.load (baseline source) |> List.exactlyOne
                        Expect.isFalse (isCaught variant) "nothing is wrong with it"
                    }

                for title, source, pattern, replacement in faults do
                    test $"caught: {title}" {
                        let compilation, generated = baseline source

                        let wrong =
                            [
                                for path, text in generated ->
                                    path,
                                    if path.Contains ".Portable" then
                                        Regex.Replace(text, pattern, replacement)
                                    else
                                        text
                            ]

                        Expect.notEqual wrong generated "the fault changes the emitted file"
                        let variant = InMemory.load (compilation, wrong) |> List.exactlyOne
                        Expect.isTrue (isCaught variant) "the tests refute it"
                    }
            ]
    )
