/// Modules that engines share: made once, disposed after the last use, whatever the threads do.
module FlashGen.Tests.Cuda.UseCountedTests

open System
open System.Threading
open System.Threading.Tasks
open Expecto
open FlashGen.Support

type private Module() =
    let mutable disposals = 0
    member _.Disposals = disposals

    interface IDisposable with
        member _.Dispose() =
            Interlocked.Increment &disposals |> ignore

let private make () = new Module()

[<Tests>]
let tests =
    testList
        "Cuda.Shared modules"
        [
            test "users of a key share its value, which goes with the last of them" {
                let modules = UseCounted<string, Module>()
                let first = modules.Use("a", make)
                Expect.isTrue (obj.ReferenceEquals(modules.Use("a", make), first)) "shared"
                Expect.isFalse (obj.ReferenceEquals(modules.Use("b", make), first)) "another key, another value"
                modules.Release "a"
                Expect.equal first.Disposals 0 "one user is left"
                modules.Release "a"
                Expect.equal first.Disposals 1 "nobody is"
                Expect.isFalse (obj.ReferenceEquals(modules.Use("a", make), first)) "made anew"
            }

            test "what cannot be made is tried again at the next use" {
                let modules = UseCounted<string, Module>()

                Expect.throwsT<InvalidOperationException>
                    (fun () -> modules.Use("a", (fun () -> invalidOp "no")) |> ignore)
                    "the maker's exception"

                let value = modules.Use("a", make)
                modules.Release "a"
                Expect.equal value.Disposals 1 "the failure counts as no use"
            }

            test "two values are made at the same time" {
                let modules = UseCounted<string, Module>()
                use both = new Barrier(2)

                let makeTogether () =
                    if not (both.SignalAndWait(TimeSpan.FromSeconds 30.0)) then
                        invalidOp "the other is not being made"

                    make ()

                let other = Task.Run(fun () -> modules.Use("a", makeTogether))
                modules.Use("b", makeTogether) |> ignore
                other.Wait()
            }

            test "many threads use and release: no value is disposed in use, each once after it" {
                let modules = UseCounted<int, Module>()
                let all = System.Collections.Concurrent.ConcurrentDictionary<Module, bool>()

                let work =
                    Array.init 4 (fun thread ->
                        Task.Run(fun () ->
                            for i in 1..2000 do
                                let key = (i + thread) % 3
                                let value = modules.Use(key, make)
                                all.TryAdd(value, true) |> ignore

                                if value.Disposals > 0 then
                                    failtest "disposed in use"

                                modules.Release key))

                Task.WaitAll work
                Expect.all all.Keys (fun value -> value.Disposals = 1) "once"
            }
        ]
