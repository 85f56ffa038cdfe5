/// Which pairs a variant keeps: the masks of semantics.md, written down once more, and the user's own compiled C#.
module FlashGen.Tests.Kernels.Keeps

open System
open System.Reflection
open FlashGen

let private attribute<'A when 'A :> Attribute and 'A: null> (variant: AttentionVariant) =
    Option.ofObj (variant.Declaration.GetCustomAttribute<'A>())

let private floorDivide (a: int64) b = (if a >= 0L then a else a - b + 1L) / b

let private positionOf (variant: AttentionVariant) (shape: AttentionShape) batch head query key =
    Position(
        batch,
        head,
        head / shape.GroupSize,
        query,
        query + shape.OffsetAt(batch, variant.Align),
        key,
        shape.QueryLength,
        shape.KeyLengthAt batch
    )

/// Whether a pair is kept by the masks that are bounds on the distance of query and key: causal, windows, chunks.
let withinBounds (variant: AttentionVariant) (shape: AttentionShape) =
    let causal = (attribute<CausalAttribute> variant).IsSome
    let window = attribute<SlidingWindowAttribute> variant
    let chunk = attribute<ChunkedAttribute> variant

    fun batch query key ->
        let position = int64 query + int64 (shape.OffsetAt(batch, variant.Align))
        let column = int64 key

        (not causal || column <= position)
        && (match window with
            | Some window ->
                (window.Left < 0 || column >= position - int64 window.Left)
                && (window.Right < 0 || column <= position + int64 window.Right)
            | None -> true)
        && (match chunk with
            | Some chunk -> floorDivide position (int64 chunk.Size) = floorDivide column (int64 chunk.Size)
            | None -> true)

/// Whether a pair is kept by all masks. Scores of -inf are not looked at.
let pair (variant: AttentionVariant) (shape: AttentionShape) (arguments: ModArguments) =
    let withinBounds = withinBounds variant shape
    let has = arguments.Contains

    let prefix =
        if has "prefix" then
            arguments.Values<int> "prefix"
        else
            ReadOnlyMemory.Empty

    let ofQuery =
        if has "queryDocument" then
            arguments.Values<int> "queryDocument"
        else
            ReadOnlyMemory.Empty

    let ofKey =
        if has "keyDocument" then
            arguments.Values<int> "keyDocument"
        else
            ReadOnlyMemory.Empty

    fun batch head query key ->
        let at = positionOf variant shape batch head query key

        withinBounds batch query key
        && (not (has "prefix") || key <= at.QueryPosition || key < prefix.Span[batch])
        && (not (has "queryDocument")
            || ofQuery.Span[batch * shape.QueryLength + query] = ofKey.Span[batch * shape.KeyLength + key])
        && Seq.forall (fun (mask: MaskDelegate) -> mask.Invoke(&at, arguments)) variant.Masks
