/// The page of a tuning: it holds what was measured, needs nothing beside it, and a browser draws its charts.
module FlashGen.Tests.Tool.ReportTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open System.Xml
open System.Xml.Linq
open Expecto
open FlashGen
open FlashGen.Dsl
open FlashGen.Kernels
open FlashGen.Tool.Tune
open FlashGen.Tool.Tune.Report
open FlashGen.Tests.Tool.Files
open FlashGen.Tests.Tool.Browser
open FlashGen.Tests.Tool.ReportSample

let private parse (text: string) =
    use reader =
        XmlReader.Create(new StringReader(text), XmlReaderSettings(DtdProcessing = DtdProcessing.Ignore))

    XDocument.Load(reader, LoadOptions.PreserveWhitespace)

let private attribute name (element: XElement) =
    match element.Attribute(XName.Get name) with
    | null -> ""
    | found -> found.Value

let private hasClass name element =
    (attribute "class" element).Split ' ' |> Array.contains name

let private named name (root: XContainer) =
    root.Descendants(XName.Get name) |> List.ofSeq

let private title (element: XElement) =
    match element.Element(XName.Get "title") with
    | null -> ""
    | found -> found.Value

[<Tests>]
let tests =
    testSequenced (
        testList
            "Tool.Report"
            [
                test "the page holds all that was measured, as text whatever it says" {
                    let text = pageOf records chosen machine
                    let page = parse text
                    let headings = named "h2" page |> List.map _.Value

                    Expect.equal
                        headings
                        (records |> List.map _.Variant |> List.distinct |> List.sort)
                        "a section for each variant"

                    for record in records do
                        let at = record.Plan.IndexOf " m="
                        let sizes = record.Plan.Substring(at + 1)
                        Expect.stringContains page.Root.Value sizes "the plan"
                    // What no document may hold is replaced.
                    for outcome, words in
                        [
                            "wrong", "Row 3 is off by 0.5; at most 0.001 is <allowed> & usual."
                            "failed", "error CS1002: ; expected\n   in line 7\uFFFD\uFFFD"
                            "timed out", "There was no end after 60 s."
                            "out of memory", "The device has no memory left."
                            "refused", "512 x 256 needs 1200 KB of scratch a thread; simd has 1024 KB."
                            "failed", "No kernel can be loaded."
                        ] do
                        let rows =
                            named "tr" page
                            |> List.filter (fun row -> hasClass "without" row && row.Value.Contains words)

                        Expect.isNonEmpty rows words

                        for row in rows do
                            Expect.equal (named "td" row).[1].Value outcome words

                    Expect.equal
                        (named "tr" page |> List.filter (hasClass "without") |> List.length)
                        (records
                         |> List.filter (fun record -> record.Outcome <> TuneOutcome.Ok)
                         |> List.length)
                        "a row for each that came to no time"
                }
                test "the page needs nothing from elsewhere" {
                    let text = pageOf records chosen machine

                    for word in
                        [
                            "http://"
                            "https://"
                            "src="
                            "url("
                            "@import"
                            "<script"
                            "<link"
                            "<img"
                            "onload"
                        ] do
                        Expect.isFalse (text.Contains(word, StringComparison.OrdinalIgnoreCase)) word

                    Expect.stringContains text "default-src 'none'" "and says so"
                    let style = Regex.Match(text, "<style>(.*?)</style>", RegexOptions.Singleline)
                    Expect.isFalse (style.Groups[1].Value.Contains '&') "HTML reads style as it stands"
                    // The first brackets after text would otherwise open an element.
                    Expect.isFalse (text.Contains "<T>") "names are text"
                    Expect.stringContains text "My.Odd&lt;T&gt; &amp;" "escaped"

                    for element in parse text |> named "svg" do
                        if hasClass "chart" element then
                            Expect.isNotEmpty (title element) "a chart has a title"
                }
                test "a map has a cell for each tile, the chosen one framed and the default marked" {
                    let page = parse (pageOf records chosen machine)

                    let map name =
                        named "svg" page
                        |> List.filter (fun svg -> hasClass "heat" svg && (title svg).EndsWith(name: string))
                        |> List.exactlyOne

                    let cells map =
                        named "g" map |> List.filter (hasClass "cell")

                    let textOf cell =
                        named "text" cell |> List.map _.Value |> String.concat ""

                    let ofLong = map (causal + ", simd, float32 d=128 long") |> cells
                    Expect.equal ofLong.Length 20 "4 x 5 tiles"
                    let framed = ofLong |> List.filter (hasClass "chosen")
                    Expect.equal (framed |> List.map textOf) [ "10.0" ] "the plan chosen"
                    Expect.stringContains (title framed.Head) "keys=8 values=8 (chosen)" "which of the tile's"
                    Expect.stringContains (title framed.Head) "rows=4" "the tile's other schedule"

                    let marked =
                        ofLong
                        |> List.filter (fun cell -> named "circle" cell |> List.exists (hasClass "default"))

                    Expect.equal
                        (marked |> List.map (fun cell -> (title cell).Contains "m=128 n=64"))
                        [ true ]
                        "default"

                    Expect.equal (ofLong |> List.filter (hasClass "failed") |> List.map textOf) [ "×" ] "refused"
                    Expect.equal (ofLong |> List.filter (hasClass "none") |> List.map textOf) [ "" ] "never tried"
                    // 10 over 12.3 and 10.9 over 12.3.
                    Expect.isTrue (hasClass "f2" framed.Head) "0.81 of the default's time"
                    Expect.isTrue (hasClass "s0" marked.Head) "the default is itself"

                    let ofShort = map (causal + ", simd, float32 d=128 short") |> cells

                    Expect.equal
                        (ofShort |> List.filter (hasClass "chosen") |> List.map textOf)
                        [ "1.20" ]
                        "the plan of long shapes"

                    let none = map (odd + ", simd, float32 d=128 long") |> cells
                    Expect.isEmpty (none |> List.filter (hasClass "chosen")) "nothing was chosen"
                    let text = page.Root.Value
                    Expect.stringContains text (simd "long" 256 128 2 8) "canonical text"
                    Expect.stringContains text "10.0000 ms, default 12.3000 ms: +23.0%" "its time"
                    Expect.stringContains text "over which none gained enough" "why short has that of long"
                    Expect.stringContains text "No candidate came to a time." "and where nothing ran"
                }
                test "a roofline has each candidate under the roofs of its arithmetic" {
                    let roofline machine =
                        parse (pageOf records chosen machine)
                        |> named "svg"
                        |> List.filter (fun svg -> hasClass "roofline" svg && (title svg).Contains odd)

                    let parts kind (svg: XElement) =
                        svg.Descendants() |> Seq.filter (hasClass kind) |> List.ofSeq

                    let simd, tensor =
                        match roofline machine with
                        | [ a; b ] -> a, b
                        | other -> failtest $"{other.Length} rooflines"

                    Expect.equal (parts "point" simd).Length 19 "candidates"
                    Expect.equal (parts "point" tensor).Length 12 "candidates"
                    Expect.equal (parts "point" tensor |> List.filter (hasClass "chosen")).Length 1 "the chosen one"
                    Expect.stringContains simd.Value "float32 1.10 TFLOP/s" "a roof"
                    Expect.stringContains tensor.Value "tensor cores 99.0 TFLOP/s" "another"
                    Expect.stringContains tensor.Value "memory 50.0 GB/s" "and the memory's"

                    for svg in roofline (TuneMachine("d", "c", "v", null)) do
                        Expect.isEmpty (parts "roof" svg) "no roof is made up"
                        Expect.isNonEmpty (parts "point" svg) "points are there all the same"
                }
                test "records of nothing, and those that a journal should not hold, make a page" {
                    Expect.stringContains (pageOf [] [] machine) "Nothing was measured." "empty"

                    let strange =
                        [
                            record causal Target.Simd "long" false TuneOutcome.Ok 1.0 1.0 "" "nonsense"
                            record causal Target.Simd "long" true TuneOutcome.Ok -1.0 0.0 "" (simd "long" 64 32 2 8)
                        ]

                    let page = parse (pageOf strange [] machine)
                    let rows = named "tr" page |> List.filter (hasClass "without")
                    Expect.equal rows.Length 2 "with a reason each"
                }
                test "a place where no page can be is refused before anything is measured" {
                    inFolder (fun folder ->
                        let plans = Path.Combine(folder, "flashgen.plans")

                        let run page parts =
                            refused
                                parts
                                [ "tune"; typeof<Causal>.Assembly.Location; "--plans"; plans; "--report"; page ]

                            Expect.isEmpty (Directory.GetFiles folder) "nothing was begun"

                        run (Path.Combine(folder, "no", "r.html")) [ "--report"; "there is no folder" ]
                        run folder [ "--report"; "it is a folder" ]
                        run plans [ "--report"; "used by the tuning itself" ]
                        run (plans + ".journal") [ "--report"; "used by the tuning itself" ])
                }
                test "the report of what is in the journal measures nothing" {
                    inFolder (fun folder ->
                        let plans = Path.Combine(folder, "flashgen.plans")
                        let page = Path.Combine(folder, "r.html")

                        let words =
                            [ "tune"; typeof<Causal>.Assembly.Location; "--variant"; "Causal"; "--type" ]
                            @ [ "float32"; "--candidates"; "2"; "--keep-texts"; "--plans"; plans ]

                        let first = flashgen words
                        Expect.equal first.Code 0 first.Error

                        let measured () =
                            List.ofSeq (TuneJournal.Parse(File.ReadAllText(TuneJournal.PathOf plans)))

                        let records = measured ()
                        File.WriteAllText(page, "an old page")
                        let second = flashgen (words @ [ "--report"; page ])
                        Expect.equal second.Code 0 second.Error
                        Expect.stringContains second.Out page "it says where"
                        Expect.equal (measured ()) records "nothing was measured again"
                        let html = File.ReadAllText page
                        let document = parse html
                        Expect.equal (named "h2" document |> List.map _.Value) [ Causal.Variant.Name ] "the variant"

                        for record in records do
                            Expect.stringContains
                                document.Root.Value
                                (TuneProgress.Sizes record.Plan)
                                "each candidate is there"

                        Expect.isTrue
                            (document.Root.Descendants() |> Seq.exists (hasClass "roof"))
                            "with this machine's roofs"

                        Expect.equal
                            (Directory.GetFiles folder |> Seq.map Path.GetFileName |> Seq.sort |> List.ofSeq)
                            [ "flashgen.plans"; "flashgen.plans.journal"; "r.html" ]
                            "nothing is left over")
                }
                test "a browser draws the charts, by day and by night" {
                    match chromium with
                    | None ->
                        let reason =
                            "whether a report's charts are drawn was not tested: there is no chromium on PATH, nor in FLASHGEN_CHROMIUM."

                        // Expecto counts what is skipped, and keeps the reason to itself.
                        eprintfn $"Skipped: %s{reason}"
                        skiptest reason
                    | Some browser ->
                        let page = pageOf records chosen machine
                        let backgrounds = Collections.Generic.HashSet<string>()

                        for isDark in [ false; true ] do
                            let measured = opened browser page isDark
                            let number (name: string) (of': JsonElement) = of'.GetProperty(name).GetDouble()
                            let words (name: string) (of': JsonElement) = of'.GetProperty(name).GetString()
                            let isTrue (name: string) (of': JsonElement) = of'.GetProperty(name).GetBoolean()
                            backgrounds.Add(words "page" measured) |> ignore
                            Expect.isGreaterThan (number "ink" measured) 7.0 "text on the page"

                            Expect.isLessThanOrEqual
                                (number "beyond" measured)
                                0.0
                                "the page is not wider than its window"

                            let charts = measured.GetProperty("charts").EnumerateArray() |> List.ofSeq

                            let ofKind kind =
                                charts |> List.filter (fun chart -> words "kind" chart = kind)
                            // Causal in three classes and Odd on the CPU; Odd on tensor cores.
                            Expect.equal
                                (ofKind "heat"
                                 |> List.map (fun chart -> chart.GetProperty("cells").GetArrayLength()))
                                [ 20; 20; 20; 20; 8 ]
                                "maps and their cells"

                            Expect.equal
                                (ofKind "roofline" |> List.map (fun chart -> int (number "points" chart)))
                                [ 57; 19; 12 ]
                                "rooflines and the candidates to be seen there"

                            Expect.equal
                                (ofKind "roofline" |> List.map (fun chart -> int (number "chosen" chart)))
                                [ 3; 0; 1 ]
                                "those chosen"

                            for chart in charts do
                                let name = words "name" chart
                                Expect.isGreaterThan (number "width" chart) 150.0 name
                                Expect.isGreaterThan (number "height" chart) 80.0 name
                                Expect.equal (number "outside" chart) 0.0 $"{name}: text outside of the drawing"
                                Expect.isLessThanOrEqual (number "clipped" chart) 0.0 $"{name}: all of it is in view"

                            for chart in ofKind "roofline" do
                                Expect.equal (number "roofs" chart) 2.0 "memory and arithmetic"
                                Expect.isTrue (isTrue "under" chart) "no candidate is beyond the roof"

                            for chart in ofKind "heat" do
                                let name = words "name" chart
                                let cells = chart.GetProperty("cells").EnumerateArray() |> List.ofSeq

                                for cell in cells do
                                    let text = words "text" cell
                                    Expect.isTrue (isTrue "seen" cell) $"{name}: cell {text}"
                                    Expect.isTrue (isTrue "fits" cell) $"{name}: {text} fits its cell"
                                    Expect.isGreaterThan (number "contrast" cell) 4.5 $"{name}: {text} can be read"

                                let colours =
                                    cells |> List.map (words "fill") |> List.filter ((<>) "none") |> List.distinct

                                Expect.isGreaterThanOrEqual colours.Length 3 $"{name}: colours that differ"

                                Expect.equal
                                    (cells |> List.filter (isTrue "isDefault") |> List.length)
                                    1
                                    $"{name}: the default"

                                let isChosen = not (name.Contains odd && name.Contains "simd")

                                Expect.equal
                                    (cells |> List.filter (isTrue "chosen") |> List.length)
                                    (if isChosen then 1 else 0)
                                    $"{name}: the chosen cell's frame"

                        Expect.equal backgrounds.Count 2 "day and night differ"
                }
            ]
    )
