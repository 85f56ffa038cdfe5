/// Declarations that several files of reference tests share.
module FlashGen.Tests.Runtime.ReferenceTypes

open FlashGen

/// Causal, any dimension, float64.
[<Attention(Types = ElementTypes.Float64); Causal>]
type Causal = class end

/// Rows before heads, any dimension, float64.
[<Attention(Types = ElementTypes.Float64, Layout = TensorLayout.BatchSequenceHead); Causal>]
type CausalRowsFirst = class end

/// A class with a mask, of which a variant may be built that lacks it.
[<Attention(Types = ElementTypes.Float64)>]
type LosesItsMask =
    [<MaskMod>]
    static member private Keep(at: inref<Position>) = at.Key = 0
