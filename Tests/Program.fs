module FlashGen.Tests.Program

open System
open System.IO
open System.Text
open Expecto
open Expecto.Impl

/// The closing line: the only thing that a script needs to read.
let private closingLine (summary: TestRunSummary) =
    let failed = List.length summary.failed + List.length summary.errored
    $"%d{List.length summary.passed} passed, %d{failed} failed, %d{List.length summary.ignored} skipped"

let private runTests arguments =
    // Opened before Expecto wraps the console, so that the closing line stands alone, without a time or a colour.
    use output =
        new StreamWriter(Console.OpenStandardOutput(), UTF8Encoding false, NewLine = "\n")

    let mutable closing = None

    let printer =
        { TestPrinters.defaultPrinter with
            summary =
                fun config summary ->
                    async {
                        do! TestPrinters.defaultPrinter.summary config summary
                        closing <- Some summary
                    }
        }

    let options =
        [
            CLIArguments.Printer printer
            CLIArguments.Fail_On_Focused_Tests
            if Console.IsOutputRedirected then
                CLIArguments.No_Spinner
                CLIArguments.Colours 0
        ]

    let code = runTestsInAssemblyWithCLIArgs options arguments

    match closing with
    | None -> code // Only the tests' names were asked for, or the arguments were wrong.
    | Some summary ->
        // Expecto leaves the cursor behind a colour code: the closing line starts a line of its own.
        output.WriteLine()
        let none = List.isEmpty summary.results

        if none then
            output.WriteLine "No test ran: either the filter fits none, or a list of tests lacks [<Tests>]."

        output.WriteLine(closingLine summary)
        if none then 1 else code

[<EntryPoint>]
let main arguments =
    match Settings.kernelsInto with
    | Some folder -> Kernels.Widths.child folder
    | None ->
        Console.Error.WriteLine $"seed {Settings.seed} (--seed {Settings.seed} replays the random cases)"
        runTests (Settings.rest arguments)
