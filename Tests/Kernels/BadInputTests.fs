/// What a call cannot be: the exception names the argument, what it was and what it must be, and nothing is written.
module FlashGen.Tests.Kernels.BadInputTests

open System
open System.Threading
open Expecto
open FlashGen
open FlashGen.Tests.Runtime.HandMade
open FlashGen.Tests.Kernels.Calls

let private sizes = AttentionShape(2, 4, 2, 5, 7, 8)

/// The arguments of Everything that fit the shape, but for one.
let private arguments (changed: string) (value: obj) =
    let arguments = ModArguments()

    let all: (string * obj) list =
        [
            "scale", 0.5f
            "slopes", Array.create 4 0.1f
            "bias", Array.create (2 * 4 * 5 * 7) 0.1f
            "biasStrides", BiasStrides(140L, 35L, 7L, 1L)
            "queryDocument", Array.create 10 1
            "keyDocument", Array.create 14 1
            "sink", Array.create 4 0.1f
            "dropout", Dropout(0.1f, 5UL)
            "holes", Array.create 7 1uy
            "gains", Array.create 4 1f
        ]

    for name, fitting in all do
        if name <> changed then
            arguments.Add(name, fitting) |> ignore
        elif not (isNull value) then
            arguments.Add(name, value) |> ignore

    arguments

/// Calls Everything with these lengths; whatever happens, an exception leaves the results as they were.
let private callWith
    (shape: AttentionShape)
    (q: int, k: int, v: int, o: int, l: int)
    arguments
    (options: AttentionOptions)
    =
    let output = Array.create o -7.5f
    let logSumExp = Array.create l -7.5f
    let mutable shape = shape

    try
        (variant "Everything")
            .Forward(
                ReadOnlySpan(Array.create q 0.5f),
                ReadOnlySpan(Array.create k 0.5f),
                ReadOnlySpan(Array.create v 0.5f),
                Span output,
                &shape,
                arguments,
                Span logSumExp,
                options
            )
    with _ ->
        Expect.all output (fun element -> element = -7.5f) "the output is as it was"
        Expect.all logSumExp (fun element -> element = -7.5f) "log-sum-exp is as it was"
        reraise ()

let private fitting = 320, 224, 224, 320, 40

let private call lengths arguments =
    callWith sizes lengths arguments AttentionOptions.Default

let private refuses (parts: string list) arguments =
    throws<ArgumentException> parts (fun () -> call fitting arguments)

[<Tests>]
let badInput =
    testList
        "Kernels.BadInput"
        [
            test "what fits passes" { call fitting (arguments "" null) }

            test "lengths that do not match the shape" {
                let q, k, v, o, l = fitting
                let good = arguments "" null

                let refuses parts lengths =
                    throws<ArgumentException> parts (fun () -> call lengths good)

                refuses [ "query"; "319"; "320" ] (q - 1, k, v, o, l)
                refuses [ "key"; "225"; "224" ] (q, k + 1, v, o, l)
                refuses [ "value"; "223"; "224" ] (q, k, v - 1, o, l)
                refuses [ "output"; "321"; "320" ] (q, k, v, o + 1, l)
                refuses [ "logSumExp"; "39"; "40" ] (q, k, v, o, l - 1)
                call (q, k, v, o, 0) good
            }

            test "an output that overlaps an input" {
                let memory = Array.create 1000 0.5f
                let plain = variant "Laws.Plain"
                let shape = AttentionShape(1, 1, 1, 5, 7, 8)

                let run output logSumExp =
                    let mutable shape = shape

                    plain.Forward(
                        ReadOnlySpan(memory, 0, 40),
                        ReadOnlySpan(memory, 40, 56),
                        ReadOnlySpan(memory, 96, 56),
                        Span(memory, output, 40),
                        &shape,
                        null,
                        Span(memory, logSumExp, 5)
                    )

                throws<ArgumentException> [ "output"; "query"; "overlap" ] (fun () -> run 39 500)
                throws<ArgumentException> [ "output"; "key"; "overlap" ] (fun () -> run 56 500)
                throws<ArgumentException> [ "output"; "value"; "overlap" ] (fun () -> run 151 500)
                throws<ArgumentException> [ "logSumExp"; "value"; "overlap" ] (fun () -> run 200 100)
                throws<ArgumentException> [ "output"; "logSumExp"; "overlap" ] (fun () -> run 200 239)
                Expect.all memory (fun element -> element = 0.5f) "nothing was written"
                run 200 240
            }

            test "sizes that are negative, or too many" {
                let shape a b c d e f =
                    AttentionShape(a, b, c, d, e, f) |> ignore

                throws<ArgumentException> [ "batch"; "-1" ] (fun () -> shape -1 1 1 1 1 1)
                throws<ArgumentException> [ "queryLength"; "-5" ] (fun () -> shape 1 1 1 -5 1 1)
                throws<ArgumentException> [ "keyLength"; "1073741824" ] (fun () -> shape 1 1 1 1 (1 <<< 30) 1)
                throws<ArgumentException> [ "queryHeads"; "4"; "3"; "multiple" ] (fun () -> shape 1 4 3 1 1 1)

                let most = Int32.MaxValue
                throws<ArgumentException> [ "elements" ] (fun () -> shape 1 most most ((1 <<< 30) - 1) 1 most)
            }

            test "dimensions that the variant does not declare" {
                let plain = variant "Laws.Plain"
                let narrow = variant "NarrowValues"

                let run (variant: AttentionVariant) (shape: AttentionShape) =
                    run32 variant shape (float32s (Random 1) variant shape) null AttentionOptions.Default
                    |> ignore

                throws<ArgumentException> [ "257"; "256" ] (fun () -> run plain (AttentionShape(1, 1, 1, 1, 1, 257)))
                throws<ArgumentException> [ "300"; "256" ] (fun () -> run plain (AttentionShape(1, 1, 1, 1, 1, 8, 300)))

                throws<ArgumentException> [ "96"; "96 with value dimension 64" ] (fun () ->
                    run32
                        narrow
                        (AttentionShape(1, 1, 1, 1, 1, 96))
                        (float32s (Random 1) narrow (AttentionShape(1, 1, 1, 1, 1, 96)))
                        (ModArguments().Add("sink", [| 0f |]))
                        AttentionOptions.Default
                    |> ignore)
            }

            test "strides, lengths and offsets of the shape" {
                let with' (make: unit -> AttentionShape) = make () |> ignore
                let strides a b c = Nullable(TensorStrides(a, b, c))

                throws<ArgumentException> [ "QueryStrides"; "-8" ] (fun () ->
                    with' (fun () -> AttentionShape(2, 4, 2, 5, 7, 8, QueryStrides = strides 160L 40L -8L)))

                throws<ArgumentException> [ "OutputStrides"; "7"; "8" ] (fun () ->
                    with' (fun () -> AttentionShape(2, 4, 2, 5, 7, 8, OutputStrides = strides 160L 40L 7L)))

                throws<ArgumentException> [ "KeyLengths"; "8"; "7" ] (fun () ->
                    with' (fun () -> AttentionShape(2, 4, 2, 5, 7, 8, KeyLengths = ReadOnlyMemory [| 7; 8 |])))

                throws<ArgumentException> [ "Offsets"; "1"; "2" ] (fun () ->
                    with' (fun () -> AttentionShape(2, 4, 2, 5, 7, 8, Offsets = ReadOnlyMemory [| 7 |])))
            }

            test "key lengths that change after the shape was made" {
                let lengths = [| 7; 7 |]

                let shape = AttentionShape(2, 4, 2, 5, 7, 8, KeyLengths = ReadOnlyMemory lengths)

                lengths[1] <- 1000

                throws<ArgumentException> [ "KeyLengths"; "1000"; "7" ] (fun () ->
                    callWith shape fitting (arguments "" null) AttentionOptions.Default)
            }

            test "arguments that are missing, unknown, of another type, or do not fit" {
                refuses [ "slopes"; "missing" ] (arguments "slopes" null)
                refuses [ "extra"; "slopes" ] ((arguments "" null).Add("extra", 1))
                refuses [ "holes"; "byte" ] (arguments "holes" (Array.create 7 1))
                refuses [ "scale"; "finite" ] (arguments "scale" nanf)
                refuses [ "scale"; "finite" ] (arguments "scale" infinityf)
                refuses [ "slopes"; "5"; "4"; "8" ] (arguments "slopes" (Array.create 5 0.1f))
                refuses [ "bias"; "279"; "280" ] (arguments "bias" (Array.create 279 0.1f))
                refuses [ "biasStrides"; "-1" ] (arguments "biasStrides" (BiasStrides(140L, 35L, 7L, -1L)))
                refuses [ "queryDocument"; "9"; "10" ] (arguments "queryDocument" (Array.create 9 1))
                refuses [ "keyDocument"; "15"; "14" ] (arguments "keyDocument" (Array.create 15 1))
                refuses [ "sink"; "3"; "4" ] (arguments "sink" (Array.create 3 0.1f))

                throws<ArgumentException> [ "prefix" ] (fun () ->
                    let prefixLm =
                        AttentionVariant.In typeof<FlashGen.Kernels.Full>.Assembly
                        |> Seq.find (fun variant -> variant.Name.EndsWith(".PrefixLm", StringComparison.Ordinal))

                    let shape = AttentionShape(2, 1, 1, 3, 3, 4)

                    run32
                        prefixLm
                        shape
                        (float32s (Random 1) prefixLm shape)
                        (ModArguments().Add("prefix", [| 1 |]))
                        AttentionOptions.Default
                    |> ignore)
            }

            test "a table too short for the shape is found before anything is written" {
                Expect.throwsT<TableReadException>
                    (fun () -> call fitting (arguments "holes" (Array.create 6 1uy)))
                    "holes"

                Expect.throwsT<TableReadException>
                    (fun () -> call fitting (arguments "gains" (Array.create 3 1f)))
                    "gains"
            }

            test "dropout outside [0, 1)" {
                for p in [ -0.1f; 1f; 1.5f; nanf; 0.999999f ] do
                    throws<ArgumentException> [ "probability"; "0"; "1" ] (fun () -> Dropout(p, 1UL) |> ignore)
            }

            test "an element type that is not declared" {
                let causal = variant "Laws.Causal"
                let shape = AttentionShape(1, 1, 1, 2, 2, 4)

                throws<NotSupportedException> [ "Float64"; "Float32" ] (fun () ->
                    run64 causal shape (float64s (Random 1) causal shape) null AttentionOptions.Default
                    |> ignore)
            }

            test "what the user's own progress throws comes as it is" {
                let causal = variant "Laws.Causal"
                let shape = AttentionShape(1, 4, 4, 600, 600, 4)

                for from in [ 0.0; 1.0 ] do
                    let progress =
                        { new IProgress<float> with
                            member _.Report share =
                                if share >= from then
                                    raise (System.Collections.Generic.KeyNotFoundException "mine")
                        }

                    throws<System.Collections.Generic.KeyNotFoundException> [ "mine" ] (fun () ->
                        run32
                            causal
                            shape
                            (float32s (Random 1) causal shape)
                            null
                            (AttentionOptions(Progress = progress, Threads = 1))
                        |> ignore)
            }

            test "a user's own progress may call kernels: a thread's scratch is the outer call's until it is done" {
                let causal = variant "Laws.Causal"

                for queries, keys in [ 300, 300; 1, 9000 ] do
                    let outer = AttentionShape(1, 8, 8, queries, keys, 8)
                    let inner = AttentionShape(1, 8, 8, queries, 2 * keys, 64)

                    let call shape seed progress =
                        run32
                            causal
                            shape
                            (float32s (Random seed) causal shape)
                            null
                            (AttentionOptions(Progress = progress, Threads = 1))

                    let expected, expectedInner = call outer 1 null, call inner 2 null
                    let found = ref None

                    let progress =
                        { new IProgress<float> with
                            member _.Report _ =
                                if found.Value.IsNone then
                                    found.Value <- Some(call inner 2 null)
                        }

                    Expect.equal (call outer 1 progress) expected $"the outer call, {queries} queries"
                    Expect.equal found.Value (Some expectedInner) $"the inner call, {queries} queries"
            }

            test "threads below zero, and a call that is cancelled before it starts" {
                throws<ArgumentException> [ "Threads"; "-1" ] (fun () -> AttentionOptions(Threads = -1) |> ignore)
                use source = new CancellationTokenSource()
                source.Cancel()

                throws<OperationCanceledException> [] (fun () ->
                    callWith sizes fitting (arguments "" null) (AttentionOptions(Cancellation = source.Token)))
            }
        ]
