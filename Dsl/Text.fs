namespace FlashGen.Dsl

[<RequireQualifiedAccess>]
module Text =
    let printSpec (spec: AttentionSpec) = spec.Name
    let hash (spec: AttentionSpec) = "0"
