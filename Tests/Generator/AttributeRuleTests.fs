/// The rules on the attributes of a variant.
module FlashGen.Tests.Generator.AttributeRuleTests

open Expecto
open FlashGen.Tests.Generator.Refusal

[<Tests>]
let attributes =
    testList
        "Generator.Rules.Attributes"
        [
            for dimension in [ "0"; "-1"; "1025"; "int.MaxValue" ] do
                test $"FG0008 head dimension {dimension}" {
                    refused "FG0008" "outside 1 to 1024" $"[Attention(16, [|{dimension}|])] static partial class A;"
                }
            test "FG0008 a dimension that no target takes" {
                refused "FG0008" "no target takes more than 256" "[Attention([|512|])] static partial class A;"
            }
            test "FG0008 value dimension" {
                refused "FG0008" "value dimension" "[Attention(16, ValueDim = [|-16|])] static partial class A;"
            }
            test "FG0009 a dimension twice" {
                refused "FG0009" "remove one" "[Attention(16, 32, [|16|])] static partial class A;"
            }
            test "FG0009 a dimension twice in two attributes" {
                refused
                    "FG0009"
                    "head dimension 16 with value dimension 8"
                    "[Attention(16, ValueDim = 8)]\n[Attention([|16|], ValueDim = 8)] static partial class A;"
            }
            test "FG0009 a block size twice" {
                refused
                    "FG0009"
                    "block size for Simd"
                    "[Attention(16)]\n[BlockSize(16, 32, Target = Targets.Simd)]\n[[|BlockSize(32, 32, Target = Targets.Simd | Targets.Portable)|]] static partial class A;"
            }
            test "FG0010 causal and prefix" {
                refused "FG0010" "remove [Causal]" "[Attention(16)]\n[[|Causal|]] [PrefixLm] static partial class A;"
            }
            test "FG0010 a value dimension for every head dimension" {
                refused "FG0010" "name the head dimension" "[Attention(ValueDim = [|16|])] static partial class A;"
            }
            test "FG0010 every head dimension and one of them" {
                refused "FG0010" "remove one of them" "[[|Attention|]] [Attention(16)] static partial class A;"
            }
            test "FG0010 two choices of types" {
                refused
                    "FG0010"
                    "declare two classes"
                    "[Attention(16, Types = ElementTypes.Float32)]\n[Attention(32, Types = [|ElementTypes.Float16|])] static partial class A;"
            }
            test "FG0010 a block size for a target that is left out" {
                refused
                    "FG0010"
                    "add Sm90 to Targets"
                    "[Attention(16, Targets = Targets.Simd)]\n[BlockSize(16, 16, Target = [|Targets.Sm90|])] static partial class A;"
            }
            test "FG0011 a negative window" {
                refused
                    "FG0011"
                    "0 or more, or -1"
                    "[Attention(16), SlidingWindow(4, right: [|-2|])] static partial class A;"
            }
            test "FG0011 no window" {
                refused
                    "FG0011"
                    "one of them is bounded"
                    "[Attention(16), [|SlidingWindow(-1)|]] static partial class A;"
            }
            test "FG0012 chunk size" {
                refused "FG0012" "1 or more" "[Attention(16), Chunked([|0|])] static partial class A;"
            }
            for cap in [ "0"; "-30f"; "float.NaN"; "float.PositiveInfinity" ] do
                test $"FG0013 soft cap {cap}" {
                    refused
                        "FG0013"
                        "finite number above 0"
                        $"[Attention(16), SoftCap([|{cap}|])] static partial class A;"
                }
            for scale in [ "float.NaN"; "float.NegativeInfinity" ] do
                test $"FG0014 scale {scale}" {
                    refused
                        "FG0014"
                        "[Scale] for a run-time"
                        $"[Attention(16), Scale([|{scale}|])] static partial class A;"
                }
            test "any finite scale is welcome" {
                accepted
                    "[Attention(16), Scale(-0.5f)] static partial class A; [Attention(16), Scale(0)] static partial class B;"
            }
            test "FG0015 block size" {
                refused
                    "FG0015"
                    "1 to 1048576"
                    "[Attention(16), BlockSize([|0|], [|-4|], Warps = [|-1|], Stages = [|-2|])] static partial class A;"
            }
            test "FG0015 a block size beyond all targets" {
                refused
                    "FG0015"
                    "1 to 1048576"
                    "[Attention(16), BlockSize([|2147483647|], [|1048577|])] static partial class A;"
            }
            for size in [ "64, 1048576"; "1048576, 64"; "1048576, 1048576"; "1048576, 1" ] do
                for target in [ "Simd"; "Portable"; "Sm80"; "Sm90" ] do
                    test $"FG0018 a block size of {size} for {target}" {
                        let outcome =
                            Compile.runAll (
                                Compile.source
                                    $"[Attention(64), BlockSize({size}, Target = Targets.{target})] static partial class A;"
                            )

                        Expect.equal [ for diagnostic in outcome.Reported -> diagnostic.Id ] [ "FG0018" ] "reported"
                        Expect.equal outcome.Compiler [] "no follow-up errors"
                    }
            test "FG0015 no target" {
                refused
                    "FG0015"
                    "at least one of"
                    "[Attention(16), BlockSize(16, 16, Target = [|Targets.None|])] static partial class A;"
            }
            test "FG0016 no types" {
                refused
                    "FG0016"
                    "at least one of Float16"
                    "[Attention(16, Types = [|ElementTypes.None|])] static partial class A;"
            }
            test "FG0016 no targets" {
                refused
                    "FG0016"
                    "at least one of Simd"
                    "[Attention(16, Targets = [|Targets.None|])] static partial class A;"
            }
            test "FG0016 numbers that are no members" {
                refused
                    "FG0016"
                    "write "
                    "[Attention(16, Types = [|(ElementTypes)64|], Align = [|(Alignment)2|], Layout = [|(TensorLayout)(-1)|])] static partial class A;"
            }
            test "FG0017 a type without a target" {
                refused
                    "FG0017"
                    "remove Float32 from Types"
                    "[Attention(16, Targets = [|Targets.Sm80 | Targets.Sm90|])] static partial class A;"
            }
            test "FG0017 float64 on tensor cores" {
                refused
                    "FG0017"
                    "add Simd or Portable"
                    "[Attention(16, Types = ElementTypes.Float64 | ElementTypes.Float16, Targets = [|Targets.Sm80|])] static partial class A;"
            }
            test "FG0018 a block that does not fit" {
                refused
                    "FG0018"
                    " KB"
                    "[Attention(128)]\n[[|BlockSize(64, 1000000, Target = Targets.Simd)|]] static partial class A;"
            }
            for size, reason in
                [
                    "128, 64, Target = Targets.Sm90, Warps = 4", "rows are shared by 8 on sm90"
                    "128, 64, Target = Targets.Sm90, Stages = 3", "sm90 has 1 or 2 or 4"
                    "128, 64, Target = Targets.Sm80, Warps = 2", "rows are shared by 4 or 8 on sm80"
                    "128, 64, Target = Targets.Sm80, Stages = 1", "sm80 has 2"
                    "16, 32, Target = Targets.Portable, Warps = 4", "groups of 32 threads on portable, not of 128"
                    "64, 32, Target = Targets.Portable, Stages = 2", "it has no stages"
                    "64, 32, Target = Targets.Simd, Warps = 2", "neither warps nor stages"
                ] do
                test $"FG0018 warps and stages that a target does not have: {size}" {
                    refused "FG0018" reason $"[Attention(128)]\n[[|BlockSize({size})|]] static partial class A;"
                }
        ]
