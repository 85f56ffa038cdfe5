/// The one property: whatever the shape, types, lengths, strides and arguments, every variant obeys the error rule against the
/// reference, at every vector width.
module FlashGen.Tests.Kernels.PropertyTests

open System
open System.Text.RegularExpressions
open Expecto
open FlashGen
open FlashGen.Tests
open FlashGen.Tests.Kernels.Outcomes

/// A number of a plan's canonical text, as n in "m=128 n=64".
let planNumber name plan =
    int (Regex.Match(plan, $@"\b{name}=(\d+)").Groups[1].Value)

/// The plan that a variant runs by at a width.
let planAt bits (elementType: ElementType) (variant: AttentionVariant) =
    variant.Plans
    |> Seq.find (fun plan ->
        plan.Target = Target.Simd
        && plan.ElementType = elementType
        && planNumber "bits" plan.Canonical = bits)
    |> fun plan -> plan.Canonical

/// Rows of a panel: the rows that share a partial tile. A device's tile is one panel.
let panelRows (elementType: ElementType) (plan: string) =
    let bits = if elementType = ElementType.Float64 then 64 else 32

    if plan.StartsWith("simd ", StringComparison.Ordinal) then
        planNumber "rows" plan * planNumber "bits" plan / bits
    else
        planNumber "m" plan

/// Semantics 8: a NaN value may reach rows that share a partial tile with it, and no row whose tile is empty. Which tiles are
/// empty is judged by the bounds alone: whether tables leave one empty is not always known before it is computed.
let mayBeNaN (case: Cases.Case) elementType plan =
    if case.Inputs <> Cases.BadValues then
        null
    else
        let shape = case.Shape
        let rows, keys = panelRows elementType plan, planNumber "n" plan
        let keeps = Keeps.withinBounds case.Variant shape
        let strides = shape.ValueStridesIn case.Variant.Layout

        let isBad batch head key =
            let start =
                int64 batch * strides.Batch
                + int64 (head / shape.GroupSize) * strides.Head
                + int64 key * strides.Row

            Seq.exists (fun d -> Single.IsNaN case.Value[int start + d]) (seq { 0 .. shape.ValueDim - 1 })

        let panels = Collections.Generic.Dictionary<struct (int * int * int), bool>()

        Func<int, int, int, bool>(fun batch head row ->
            let panel = row / rows
            let at = struct (batch, head, panel)

            match panels.TryGetValue at with
            | true, answer -> answer
            | _ ->
                let last = min shape.QueryLength ((panel + 1) * rows) - 1
                let length = shape.KeyLengthAt batch

                let answer =
                    Seq.exists
                        (fun tile ->
                            let columns = [ tile * keys .. min length ((tile + 1) * keys) - 1 ]

                            List.exists (isBad batch head) columns
                            && List.exists
                                (fun key ->
                                    Seq.exists (fun query -> keeps batch query key) (seq { panel * rows .. last }))
                                columns)
                        (seq { 0 .. (length - 1) / keys })

                panels[at] <- answer
                answer)

/// What is wrong with outcomes of a variant's cases: at each width, those of each case and element type, or why there are none.
let judge (variant: AttentionVariant) (cases: Cases.Case seq) outcomes =
    let faults = Collections.Generic.List<int * string>()

    for bits, outcome in outcomes do
        match outcome with
        | Error dead -> faults.Add(bits, dead)
        | Ok _ -> ()

    for number, case in Seq.indexed cases do
        let shape = case.Shape

        let reference =
            Reference.Forward<float32>(
                variant,
                ReadOnlySpan case.Query,
                ReadOnlySpan case.Key,
                ReadOnlySpan case.Value,
                &shape,
                case.Arguments
            )

        for index, element in List.indexed (declared variant) do
            let truth =
                {
                    Case = case
                    Reference = reference
                    MayBeNaN = mayBeNaN case element.Type
                }

            let naive = element.Naive(truth, false)

            for bits, outcome in outcomes do
                match outcome with
                | Error _ -> ()
                | Ok(outcomes: Outcome list list) ->
                    let plan = planAt bits element.Type variant

                    match element.Judge(truth, naive, outcomes[number][index], plan) with
                    | "" -> ()
                    | wrong -> faults.Add(bits, $"{element.Type}, {case}\n{wrong}")

    List.ofSeq faults

/// What is wrong with a variant in some of its cases, computed in this process by the kernels of every width that the machine has.
let faultsHere (variant: AttentionVariant) (cases: Cases.Case list) =
    judge
        variant
        cases
        [
            for bits in Widths.all do
                if bits <= Widths.own then
                    bits, Ok(List.map (Widths.runCase (AttentionOptions(MaxVectorBits = bits))) cases)
        ]
    |> List.map (fun (bits, fault) -> $"{bits} bits, {fault}")

/// What is wrong with a variant at each width that this machine has.
let private verdicts (variant: AttentionVariant) =
    [
        for bits in Widths.all do
            if bits <= Widths.own then
                bits,
                try
                    Ok(Widths.outcomes bits variant)
                with dead ->
                    Error dead.Message
    ]
    |> judge variant (Cases.all variant)

[<Tests>]
let everyVariant =
    let ofVariant (variant: AttentionVariant) =
        let verdict =
            Lazy<_>((fun () -> verdicts variant), Threading.LazyThreadSafetyMode.ExecutionAndPublication)

        [
            for bits in Widths.all do
                let name = $"{variant.Name} at {bits} bits"

                if bits > Widths.own then
                    ptest name { () }
                else
                    test name {
                        Widths.start ()

                        match
                            [
                                for width, wrong in verdict.Value do
                                    if width = bits then
                                        wrong
                            ]
                        with
                        | [] -> ()
                        | faults ->
                            failtest
                                $"%d{faults.Length} faults in %d{Cases.count} cases, --seed {Settings.seed}:\n%s{faults[0]}"
                    }
        ]

    let skipped = List.length (List.filter (fun bits -> bits > Widths.own) Widths.all)

    if skipped > 0 then
        eprintfn
            $"Skipped: this machine's vectors have {Widths.own} bits, so %d{skipped} widths of %d{Widths.variants.Length} variants are not run."

    testSequenced (testList "Kernels" (List.collect ofVariant Widths.variants))
