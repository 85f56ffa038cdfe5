/// The reference against numbers that others published.
module FlashGen.Tests.Runtime.GoldenTests

open System.Globalization
open Expecto
open FlashGen
open FlashGen.Tests.Runtime.HandMade

[<Attention(Types = ElementTypes.Float64); Scale(1.0f)>]
type private Unscaled = class end

let private self variant dim (x: float[]) =
    let shape = shape (x.Length / dim) (x.Length / dim) dim
    (forward variant x x x shape (ModArguments())).Output

/// As C's printf would cut it off: digits are not rounded up.
let private cut (value: float) =
    let text = value.ToString("F10", CultureInfo.InvariantCulture)
    text[.. text.IndexOf '.' + 8]

[<Tests>]
let tests =
    testList
        "Reference: published values"
        [
            test "the four-by-four example of the field's tutorials" {
                let output = self (variant typeof<Full>) 4 [| for x in 1..16 -> float x |]

                Expect.equal
                    (List.map cut (List.ofArray output[..3]))
                    [ "12.99999999"; "13.99999999"; "14.99999999"; "15.99999999" ]
                    "first row"

                for row in 1..3 do
                    for d in 0..3 do
                        Expect.floatClose
                            { absolute = 1e-12; relative = 0.0 }
                            output[row * 4 + d]
                            (float (13 + d))
                            "row"
            }

            test "simplified self-attention of six tokens (Raschka, Build a Large Language Model, section 3.3.2)" {
                let inputs =
                    [|
                        0.43
                        0.15
                        0.89
                        0.55
                        0.87
                        0.66
                        0.57
                        0.85
                        0.64
                        0.22
                        0.58
                        0.33
                        0.77
                        0.25
                        0.10
                        0.05
                        0.80
                        0.55
                    |]

                let contexts =
                    [|
                        0.4421
                        0.5931
                        0.5790
                        0.4419
                        0.6515
                        0.5683
                        0.4431
                        0.6496
                        0.5671
                        0.4304
                        0.6298
                        0.5510
                        0.4671
                        0.5910
                        0.5266
                        0.4177
                        0.6503
                        0.5645
                    |]

                for actual, expected in Array.zip (self (variant typeof<Unscaled>) 3 inputs) contexts do
                    Expect.floatClose { absolute = 5.01e-5; relative = 0.0 } actual expected "as printed"
            }
        ]
