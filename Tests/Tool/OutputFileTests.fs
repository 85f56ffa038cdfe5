/// Result files appear whole, together, and in the place of nothing but files.
module FlashGen.Tests.Tool.OutputFileTests

open System
open System.IO
open Expecto
open FlashGen.Tool
open FlashGen.Tool.Npy
open FlashGen.Tool.Run
open FlashGen.Tests.Tool.Files

[<Tests>]
let tests =
    testList
        "Tool.OutputFile"
        [
            testCase "when the second result cannot take its name, the first is not left behind"
            <| fun () ->
                inFolder (fun folder ->
                    let first, second = Path.Combine(folder, "l.npy"), Path.Combine(folder, "o.npy")
                    use one = OutputFile.Create("--log-sum-exp", first)
                    use two = OutputFile.Create("--output", second)
                    one.Stream.WriteByte 1uy
                    two.Stream.WriteByte 2uy
                    Expect.isFalse (File.Exists first || File.Exists second) "neither is there before the end"
                    Directory.CreateDirectory second |> ignore

                    Expect.throwsT<ToolException> (fun () -> OutputFile.Commit [| one; two |]) "the name is taken"
                    Expect.isFalse (File.Exists first) "the first is gone"
                    two.Dispose()
                    Expect.equal (Directory.GetFileSystemEntries folder) [| second |] "nothing is left over")

            testCase "and what the first replaced is there again"
            <| fun () ->
                inFolder (fun folder ->
                    let first, second = Path.Combine(folder, "l.npy"), Path.Combine(folder, "o.npy")
                    File.WriteAllText(first, "as it was")
                    use one = OutputFile.Create("--log-sum-exp", first)
                    use two = OutputFile.Create("--output", second)
                    one.Stream.WriteByte 1uy
                    Directory.CreateDirectory second |> ignore
                    Expect.throwsT<ToolException> (fun () -> OutputFile.Commit [| one; two |]) "the name is taken"
                    Expect.equal (File.ReadAllText first) "as it was" "the old file"
                    two.Dispose()
                    Expect.hasLength (Directory.GetFileSystemEntries folder) 2 "nothing is left over")

            testCase "a result goes where a link leads, and takes the place of nothing but files"
            <| fun () ->
                inFolder (fun folder ->
                    let at name = Path.Combine(folder, name)

                    let write path =
                        use file = OutputFile.Create("--output", path)
                        file.Stream.WriteByte 7uy
                        OutputFile.Commit [| file |]

                    let refuses path part =
                        let fault = Expect.throwsC (fun () -> write path) id
                        Expect.isTrue (fault :? ToolException) (string fault)
                        Expect.stringContains fault.Message part path

                    if not (OperatingSystem.IsWindows()) then
                        File.CreateSymbolicLink(at "link", at "target") |> ignore
                        write (at "link")
                        Expect.equal (File.ReadAllBytes(at "target")) [| 7uy |] "what the link named, made"
                        Expect.isNotNull (FileInfo(at "link")).LinkTarget "the link"

                        // By which results are told from the files that a call reads.
                        Directory.CreateDirectory(at "folder") |> ignore
                        Directory.CreateSymbolicLink(at "other", at "folder") |> ignore
                        File.CreateSymbolicLink(at "far", Path.Combine(at "other", "x.npy")) |> ignore

                        for path in
                            [
                                at "far"
                                Path.Combine(at "other", "x.npy")
                                Path.Combine(at "folder", "x.npy")
                            ] do
                            Expect.equal
                                (OutputFile.Behind path)
                                (OutputFile.Behind(Path.Combine(at "folder", "x.npy")))
                                path

                    File.WriteAllText(at "old", "as it was")
                    File.SetAttributes(at "old", FileAttributes.ReadOnly)
                    refuses (at "old") "read-only"
                    Expect.equal (File.ReadAllText(at "old")) "as it was" "the old file"
                    File.SetAttributes(at "old", FileAttributes.Normal)

                    if OperatingSystem.IsLinux() then
                        use mkfifo = Diagnostics.Process.Start("mkfifo", at "pipe")
                        mkfifo.WaitForExit()
                        refuses (at "pipe") "a pipe"

                        let read =
                            Expect.throwsC (fun () -> NpyFile.Open("--query", at "pipe").Dispose()) id

                        Expect.stringContains read.Message "a pipe" "and none is waited for as an input"

                        // Its name leads to none in any folder, as where a shell pipes it on.
                        use child =
                            Diagnostics.Process.Start(
                                Diagnostics.ProcessStartInfo("cat", RedirectStandardInput = true)
                            )

                        refuses $"/proc/{child.Id}/fd/0" "a pipe"
                        child.StandardInput.Close()
                        child.WaitForExit()
                        Expect.isTrue (File.Exists(at "pipe")) "the pipe"

                    // Room is left for the name that it has before the end.
                    write (at (String('n', 250))))
        ]
