/// The three vector widths: the machine's own in this process, the narrower ones in children that are told to have no wider.
module FlashGen.Tests.Kernels.Widths

open System
open System.Diagnostics
open System.IO
open System.Threading
open FlashGen
open FlashGen.Support
open FlashGen.Tests
open FlashGen.Tests.Kernels.Outcomes

let all = [ 512; 256; 128 ]

let own = SimdForward.VectorBits

/// The variants that kernels are run for: the gallery's, and those written to break the compiler.
let variants =
    [
        yield! AttentionVariant.In typeof<FlashGen.Kernels.Full>.Assembly
        for variant in AttentionVariant.In FlashGen.Tests.Variants.Catalogue.Assembly do
            if not (variant.Name.StartsWith("FlashGen.Tests.Variants.Faults", StringComparison.Ordinal)) then
                variant
    ]

/// What a case gives here, in each of its variant's element types.
let runCase (options: AttentionOptions) (case: Cases.Case) =
    [ for element in declared case.Variant -> element.Run(case, options) ]

/// What every case of a variant gives here, in the order of cases and types.
let run (variant: AttentionVariant) =
    [ for case in Cases.all variant -> runCase AttentionOptions.Default case ]

let private write (writer: BinaryWriter) (outcome: Outcome) =
    for bytes in [ outcome.Output; outcome.LogSumExp ] do
        writer.Write bytes.Length
        writer.Write bytes

    writer.Write outcome.Failure

let private read (reader: BinaryReader) =
    let bytes () = reader.ReadBytes(reader.ReadInt32())
    let output = bytes ()
    let logSumExp = bytes ()

    {
        Output = output
        LogSumExp = logSumExp
        Failure = reader.ReadString()
    }

let private fileOf folder (variant: AttentionVariant) = Path.Combine(folder, variant.Name)

/// The child's whole life: a file for each variant, there when it is complete. The first line that it prints is its width.
let child folder =
    Console.Out.WriteLine own

    for variant in variants do
        let file = fileOf folder variant
        let partial = file + ".partial"

        using (new BinaryWriter(File.Create partial)) (fun writer ->
            for outcomes in run variant do
                List.iter (write writer) outcomes)

        File.Move(partial, file)

    0

let private switches = Map [ 256, "DOTNET_EnableAVX512"; 128, "DOTNET_EnableAVX2" ]

/// A child at a narrower width, and the folder that it writes into.
type private Child(bits: int) =
    let folder = Directory.CreateTempSubdirectory "flashgen-kernels-"

    let dead =
        AppDomain.CurrentDomain.ProcessExit.Add(fun _ ->
            try
                folder.Delete true
            with :? IOException ->
                ())

    let running =
        let start =
            ProcessStartInfo(
                Environment.ProcessPath,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false
            )

        // Started as `dotnet Tests.dll` or by its own host.
        if Path.GetFileNameWithoutExtension Environment.ProcessPath = "dotnet" then
            start.ArgumentList.Add typeof<Outcome>.Assembly.Location

        for argument in
            [
                "--kernels-into"
                folder.FullName
                "--seed"
                string Settings.seed
                if Settings.thorough then
                    "--thorough"
            ] do
            start.ArgumentList.Add argument

        start.Environment[switches[bits]] <- "0"
        Process.Start start

    let width = running.StandardOutput.ReadLineAsync()
    let errors = running.StandardError.ReadToEndAsync()

    /// What the child computed for a variant; waits until it has.
    member _.Outcomes(variant: AttentionVariant) =
        dead

        if width.Result <> string bits then
            failwith
                $"The child with {switches[bits]}=0 has vectors of '{width.Result}' bits instead of {bits}: {errors.Result}"

        let file = fileOf folder.FullName variant

        while not (File.Exists file) && not (running.WaitForExit 20) do
            ()

        if not (File.Exists file) then
            failwith $"The child for {bits} bits died with exit code {running.ExitCode}: {errors.Result}"

        use reader = new BinaryReader(File.OpenRead file)

        let outcomes =
            [ for _ in 1 .. Cases.count -> [ for _ in declared variant -> read reader ] ]

        reader.Dispose()
        File.Delete file
        outcomes

let private children =
    Map
        [
            for bits in all do
                if bits < own then
                    bits, Lazy<Child>(fun () -> Child bits)
        ]

/// Starts all children, so that they work while this process does.
let start () =
    for child in children.Values do
        child.Force() |> ignore

/// What a variant gives at a width that this machine has.
let outcomes bits variant =
    if bits = own then
        run variant
    else
        children[bits].Value.Outcomes variant
