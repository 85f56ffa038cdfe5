/// A case run and judged in one element type.
module FlashGen.Tests.Kernels.Outcomes

open System
open System.Runtime.InteropServices
open FlashGen
open FlashGen.Support

/// What a call left behind, as bytes, so that another process may have made it.
type Outcome =
    {
        Output: byte[]
        /// Empty where it was not asked for.
        LogSumExp: byte[]
        /// Why there is no result; empty where there is one.
        Failure: string
    }

/// What a case is judged by: made once for all element types and vector widths.
type Truth =
    {
        Case: Cases.Case
        Reference: ReferenceResult
        MayBeNaN: string -> Func<int, int, int, bool>
    }

[<AbstractClass>]
type Element(elementType: ElementType) =
    member _.Type = elementType
    abstract Run: Cases.Case * AttentionOptions -> Outcome
    /// What the plain implementation of this type makes of a case; tensor cores take softmax weights in the type, too.
    abstract Naive: Truth * roundWeights: bool -> ReferenceResult
    /// What is wrong with an outcome; empty where nothing is.
    abstract Judge: Truth * ReferenceResult * Outcome * plan: string -> string

/// What an output holds before the call: no kernel computes it.
let poison = -7.75f

type private Call<'T, 'L> = delegate of Cases.Case * 'T[] * 'T[] * 'T[] * 'T[] * 'L[] * AttentionOptions -> unit

let private bytesOf<'T when 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType> (values: 'T[]) =
    MemoryMarshal.AsBytes(ReadOnlySpan values).ToArray()

let private ofBytes<'T when 'T: struct and 'T: (new: unit -> 'T) and 'T :> ValueType> (bytes: byte[]) =
    MemoryMarshal.Cast<byte, 'T>(ReadOnlySpan bytes).ToArray()

/// Whether an element of the output belongs to a row, by its place.
let private rowPlaces (case: Cases.Case) =
    let shape = case.Shape
    let strides = shape.OutputStridesIn case.Variant.Layout
    let places = Array.zeroCreate<bool>(int (shape.OutputElements case.Variant.Layout))

    for b in 0 .. shape.Batch - 1 do
        for h in 0 .. shape.QueryHeads - 1 do
            for r in 0 .. shape.QueryLength - 1 do
                let start =
                    int (int64 b * strides.Batch + int64 h * strides.Head + int64 r * strides.Row)

                Array.fill places start shape.ValueDim true

    places

type private ElementOf<'T, 'L
    when 'T: unmanaged
    and 'T: struct
    and 'T: (new: unit -> 'T)
    and 'T :> ValueType
    and 'T: equality
    and 'L: unmanaged
    and 'L: struct
    and 'L: (new: unit -> 'L)
    and 'L :> ValueType>(elementType, call: Call<'T, 'L>) =
    inherit Element(elementType)

    let narrow (values: float32[]) = Array.map Elements.Narrow<'T> values

    override _.Run(case, options) =
        let shape = case.Shape

        let output =
            Array.create (int (shape.OutputElements case.Variant.Layout)) (Elements.Narrow<'T> poison)
        // Some calls want no log-sum-exp.
        let count =
            if case.Number % 4 = 3 then
                0
            else
                int shape.LogSumExpElements

        let logSumExp = Array.create count (Elements.Narrow<'L> nanf)

        let failure =
            try
                call.Invoke(case, narrow case.Query, narrow case.Key, narrow case.Value, output, logSumExp, options)
                ""
            with fault ->
                fault.ToString()

        {
            Output = bytesOf output
            LogSumExp = bytesOf logSumExp
            Failure = failure
        }

    override _.Naive(truth, roundWeights) =
        if elementType = ElementType.Float64 then
            truth.Reference
        else
            let case = truth.Case
            let shape = case.Shape

            Reference.Naive<'T>(
                case.Variant,
                ReadOnlySpan(narrow case.Query),
                ReadOnlySpan(narrow case.Key),
                ReadOnlySpan(narrow case.Value),
                &shape,
                case.Arguments,
                null,
                roundWeights
            )

    override _.Judge(truth, naive, outcome, plan) =
        let case = truth.Case

        if outcome.Failure <> "" then
            outcome.Failure
        else
            let output = ofBytes<'T> outcome.Output
            let poison = Elements.Narrow<'T> poison

            let touched =
                (output, rowPlaces case)
                ||> Seq.map2 (fun element isRow -> not isRow && element <> poison)
                |> Seq.tryFindIndex id

            let rule = ErrorRule.For(case.Variant, elementType)

            let rule =
                match truth.MayBeNaN plan with
                | null -> rule
                | mayBeNaN ->
                    ErrorRule(
                        NaiveFactor = rule.NaiveFactor,
                        Absolute = rule.Absolute,
                        UnitRoundoff = rule.UnitRoundoff,
                        LogSumExpRelative = rule.LogSumExpRelative,
                        HasScoreChanges = rule.HasScoreChanges,
                        LargestScore = rule.LargestScore,
                        MayBeNaN = mayBeNaN
                    )

            let shape = case.Shape

            let report =
                rule.Compare<'T, 'L>(
                    ReadOnlySpan output,
                    ReadOnlySpan(ofBytes<'L> outcome.LogSumExp),
                    &shape,
                    case.Variant.Layout,
                    truth.Reference,
                    naive
                )

            match touched with
            | Some place -> $"the gap at element {place} of the output was written: {output[place]}"
            | None -> if report.Passed then "" else report.ToString()

/// The four types, each with its own overload of Forward.
let all: Element list =
    [
        ElementOf<float32, float32>(
            ElementType.Float32,
            Call(fun case q k v o l options ->
                let shape = case.Shape

                case.Variant.Forward(
                    ReadOnlySpan q,
                    ReadOnlySpan k,
                    ReadOnlySpan v,
                    Span o,
                    &shape,
                    case.Arguments,
                    Span l,
                    options
                ))
        )
        ElementOf<float, float>(
            ElementType.Float64,
            Call(fun case q k v o l options ->
                let shape = case.Shape

                case.Variant.Forward(
                    ReadOnlySpan q,
                    ReadOnlySpan k,
                    ReadOnlySpan v,
                    Span o,
                    &shape,
                    case.Arguments,
                    Span l,
                    options
                ))
        )
        ElementOf<Half, float32>(
            ElementType.Float16,
            Call(fun case q k v o l options ->
                let shape = case.Shape

                case.Variant.Forward(
                    ReadOnlySpan q,
                    ReadOnlySpan k,
                    ReadOnlySpan v,
                    Span o,
                    &shape,
                    case.Arguments,
                    Span l,
                    options
                ))
        )
        ElementOf<BFloat16, float32>(
            ElementType.BFloat16,
            Call(fun case q k v o l options ->
                let shape = case.Shape

                case.Variant.Forward(
                    ReadOnlySpan q,
                    ReadOnlySpan k,
                    ReadOnlySpan v,
                    Span o,
                    &shape,
                    case.Arguments,
                    Span l,
                    options
                ))
        )
    ]

/// The types that a variant declares.
let declared (variant: AttentionVariant) =
    all |> List.filter (fun element -> variant.Types.HasFlag(element.Type.Flag()))
