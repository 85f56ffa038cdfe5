/// What becomes of ILGPU's PTX: parameters, locals, products, names, target and type.
module FlashGen.Tests.Cuda.PatchTests

open System
open Expecto
open FlashGen.Support

let private written =
    ".version 8.0\n.target sm_80\n.address_size 64\n\n\
     .extern .shared .align 4 .b8 __dyn_shared_alloca[];\n\n\
     .visible .entry Kernel_Tensor(\n\
     \t.param .align 8 .b8 _queryMap_17[128],\n\
     \t.param .b64 _key_18,\n\
     \t.param .b32 _key_count_19,\n\
     \t.param .b64 _arrivals_20\n\
     )\n.maxntid 384, 1, 1\n{\n\
     \t.local .align 4 .b8 __local_depot0[4];\n\
     \t.local .align 8 .b8 __local_depot1[8];\n\n\
     \tmov.b64\t%rd6, __local_depot0;\n\
     \tmov.b64\t%rd7, __local_depot1;\n\
     \tld.param.b64\t%rd1, [_queryMap_17];\n\
     \tld.param.b64\t%rd2, [_queryMap_17+8];\n\
     \tld.param.b64\t%rd3, [_key_18];\n\
     \tld.param.b32\t%r3, [_key_count_19];\n\
     \tld.param.b64\t%rd4, [_arrivals_20];\n\
     \tL_9270:\n\
     \tld.f32\t%f9, [%rd12];\n\
     \tld.shared.f32\t%f10, [%rd13];\n\
     \tgriddepcontrol.wait;\n\
     \tst.local.f32\t[%rd6], 0f00000000;\n\
     \tst.local.f32\t[%rd6], %f1;\n\
     \tld.local.f32\t%f3, [%rd6];\n\
     \tst.local.b64\t[%rd7], %rd9;\n\
     \tcvt.rn.f16x2.f32 p0, s1, s0;\n\
     \twgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {s0}, a, b;\n\
     \tbra\tL_9270;\n\
     \tbra\tL_9271;\n}\n"

[<Tests>]
let tests =
    testList
        "Cuda.Patch"
        [
            test "a tensor map is a parameter of its own alignment, whose words nobody loads" {
                let ptx = PtxPatch.Apply(written, "sm_90a", false)
                Expect.stringContains ptx ".param .align 64 .b8 queryMap[128]" "the parameter"
                Expect.isFalse (ptx.Contains "[queryMap") "no loads"
                Expect.stringContains ptx "ld.param.b64\t%rd3, [key];" "the other parameters' loads stay"
                Expect.stringContains ptx "ld.param.b32\t%r3, [key_count];" "with names that end alike too"
            }

            test "a kernel that puts no parts together has no counters, and keeps its parameters" {
                for isMerging, line in [ false, "\tmov.b64\t%rd4, 0;"; true, "\tld.param.b64\t%rd4, [arrivals];" ] do
                    let ptx = PtxPatch.Apply(written, "sm_90a", false, isMerging)
                    Expect.stringContains ptx $"\n{line}\n" "what it takes for their address"
                    Expect.stringContains ptx ".param .b64 arrivals" "the parameter"
            }

            test "only a kernel that puts parts together follows another by itself" {
                let follows isMerging =
                    PtxPatch.Apply(written, "sm_90a", false, isMerging).Contains "\tgriddepcontrol.wait;\n"

                Expect.isTrue (follows true) "it waits"
                Expect.isFalse (follows false) "the others are launched behind what they wait for"
            }

            test "a local that only its own address reaches is a register" {
                let ptx = PtxPatch.Apply(written, "sm_90a", false)
                Expect.isFalse (ptx.Contains ".local") "none is left"
                Expect.stringContains ptx ".reg .b32\tlocal_depot0;" "declared"
                Expect.stringContains ptx "mov.b32 local_depot0, %f1;" "stored"
                Expect.stringContains ptx "mov.b32 %f3, local_depot0;" "loaded"
                Expect.stringContains ptx "mov.b64 local_depot1, %rd9;" "of eight bytes"
            }

            test "a view is in global memory where ILGPU names no other" {
                let ptx = PtxPatch.Apply(written, "sm_90a", false)
                Expect.stringContains ptx "\tld.global.f32\t%f9, [%rd12];" "a load that named none"
                Expect.stringContains ptx "\tld.shared.f32\t%f10, [%rd13];" "one that did"
            }

            test "a local that is used in another way is refused by name" {
                let bad =
                    written.Replace("\tbra\tL_9271;", "\tadd.u64\t%rd8, %rd6, 4;\n\tld.local.f32\t%f4, [%rd8];")

                Expect.throwsC (fun () -> PtxPatch.Apply(bad, "sm_90a", false) |> ignore) (fun fault ->
                    Expect.stringContains fault.Message "ld.local.f32" "the instruction")
            }

            test "names are the same in every run, the target is the device's" {
                let ptx = PtxPatch.Apply(written, "sm_90a", false)

                let again =
                    written.Replace("_17", "_99").Replace("_18", "_100").Replace("L_927", "L_5")

                Expect.equal (PtxPatch.Apply(again, "sm_90a", false)) ptx "other numbers"
                Expect.stringContains ptx ".target sm_90a" "the target"
                Expect.stringContains ptx ".extern .shared .align 1024 .b8" "tiles start at whole swizzles"
            }

            test "bfloat16 differs from float16 by its products and conversions" {
                let ptx = PtxPatch.Apply(written, "sm_90a", true)
                Expect.stringContains ptx "k16.f32.bf16.bf16 {s0}" "products"
                Expect.stringContains ptx "cvt.rn.bf16x2.f32 p0" "conversions"

                Expect.equal
                    (ptx.Split('\n').Length)
                    (PtxPatch.Apply(written, "sm_90a", false).Split('\n').Length)
                    "nothing else"
            }
        ]
