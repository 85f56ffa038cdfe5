/// Three emitted kernels as files of the repository: what an emitter's change does to them is read in review.
/// `--rewrite-snapshots` accepts what is emitted now.
module FlashGen.Tests.Generator.SnapshotTests

open System.IO
open Expecto
open FlashGen.Tests

let private folder =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "..", "Snapshots"))

let private declarations =
    [
        "Causal",
        """
[Attention(64, Types = ElementTypes.Float32)]
[Causal]
public static partial class Causal;
"""
        "Documents",
        """
[Attention(Types = ElementTypes.Float16 | ElementTypes.Float32)]
[Causal, Document]
public static partial class Documents;
"""
        "AlibiOverDocuments",
        """
[Attention(64, 128, Types = ElementTypes.Float32)]
public static partial class AlibiOverDocuments
{
    [MaskMod]
    static bool SameDocument(in Position at, Table<int> document) =>
        at.Key <= at.QueryPosition && document[at.QueryPosition] == document[at.Key];

    [ScoreMod]
    static float Alibi(float score, in Position at, Table<float> slope) =>
        score + slope[at.Head] * (at.Key - at.QueryPosition);
}
"""
    ]

[<Tests>]
let snapshots =
    testList
        "Generator.Snapshots"
        [
            for name, source in declarations do
                test $"{name} with vectors of 512 bits" {
                    let outcome = Compile.runAll (Compile.source source)
                    let file = $"{name}.Simd512.g.cs"
                    let text = outcome.Sources |> List.find (fun (path, _) -> path = file) |> snd
                    let snapshot = Path.Combine(folder, file + ".txt")

                    if Settings.rewriteSnapshots then
                        Directory.CreateDirectory folder |> ignore
                        File.WriteAllText(snapshot, text)

                    if not (File.Exists snapshot) then
                        failtest $"{snapshot} is missing; --rewrite-snapshots writes it."

                    Expect.equal
                        text
                        (File.ReadAllText(snapshot).Replace("\r\n", "\n"))
                        "the emitted kernel is the snapshot's; --rewrite-snapshots accepts the new one"
                }
        ]
