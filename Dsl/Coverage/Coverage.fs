/// Coverage: which tiles of scores a mask leaves empty, which it leaves whole, and which need it element by element.
///
/// A mask is split once, at compile time, into row bounds and a rest:
///
///   keep(row, key)  =  conditions(row)  and  first(row) <= key <= last(row)  and  rest(row, key)
///
/// Causal, windows, prefixes, chunks and users' C# that says the same end as bounds alone; then a tile's kind is exact, from
/// the bounds of its rows. What compares tables or folds positions lands in the rest, whose value range over a tile is computed
/// from the least and greatest values of its row-only and key-only parts (interval arithmetic, as in Interval, but as an
/// expression that a kernel evaluates).
namespace FlashGen.Dsl


type Coverage =
    {
        /// Bools of the row: a row keeps nothing unless all hold.
        Conditions: Expr list
        /// A row keeps no key below these; ints or longs of the row.
        First: Expr list
        /// A row keeps no key above these; ints or longs of the row. The last key within the lengths bounds every mask besides.
        Last: Expr list
        /// Those of `First` and `Last` that only shape the tiles: their conjuncts stand in `Rest` too, where their table reads are
        /// reached as C# reaches them.
        Shapes: Expr list
        /// Bools of row and key that bounds cannot say, in source order.
        Rest: Expr list
        Leaves: Leaf list
        /// Over the locals `name.low` and `name.high` of the leaves (`name.any` and `name.all` of bools): the rest certainly
        /// keeps nothing of the tile.
        RestEmpty: Expr
        /// As `RestEmpty`: the rest certainly keeps all of the tile.
        RestFull: Expr
    }

type TileKind =
    | Empty
    | Partial
    | Full

/// The keys that one row keeps by its bounds: first to last, none where last < first.
type RowRange = { FirstKey: int64; LastKey: int64 }

[<RequireQualifiedAccess>]
module Coverage =
    /// Masks whose inlined form is larger than this are tested element by element only.
    let private largestAnalysed = 4000

    let private yes = Expr.bool true
    let private no = Expr.bool false

    let private mayFault checkedReads expr =
        Expr.exists
            (fun part ->
                match part with
                | TableRead _ -> not (List.contains part checkedReads)
                | Binary((Div | Rem), _, Literal _) -> false
                | Binary((Div | Rem), left, _) -> Expr.typeOf left <> Float
                | _ -> false)
            expr

    /// A read of the row counts as reached by the whole row, which is C#'s order of evaluation where nothing before it depends on
    /// the key and the conjunct is one comparison.
    let private isReachedByRow earlier conjunct =
        List.forall KeyBounds.isRowOnly earlier
        && (KeyBounds.isRowOnly conjunct
            || match conjunct with
               | Binary((Lt | Le | Gt | Ge | Eq), _, _) -> true
               | _ -> false)

    let private classify checkedReads (coverage: Coverage, earlier) conjunct =
        let mayFault = mayFault checkedReads

        let add (coverage: Coverage) bound =
            // An earlier condition of the row keeps its later reads from being made.
            let limit, outside =
                match bound with
                | AtLeast limit -> limit, KeyBounds.always
                | AtMost limit -> limit, KeyBounds.never

            let limit =
                if coverage.Conditions.IsEmpty || not (mayFault limit) then
                    KeyBounds.narrow limit
                else
                    KeyBounds.narrow (
                        Select(Expr.conjunction (List.rev coverage.Conditions), KeyBounds.wide limit, outside)
                    )

            match bound with
            | AtLeast _ ->
                { coverage with
                    First = limit :: coverage.First
                }
            | AtMost _ ->
                { coverage with
                    Last = limit :: coverage.Last
                }

        // Where the row's reads may go beyond what C# reaches, they shape the tiles, but faults are found element by element.
        let isShape = mayFault conjunct && not (isReachedByRow earlier conjunct)

        let shaped =
            if KeyBounds.isRowOnly conjunct then
                if isShape then
                    Some coverage
                else
                    Some
                        { coverage with
                            Conditions = conjunct :: coverage.Conditions
                        }
            else
                KeyBounds.ofConjunct conjunct
                |> Option.map (fun found ->
                    let result = List.fold add coverage found

                    if isShape then
                        let added (after: Expr list) (before: Expr list) =
                            List.take (after.Length - before.Length) after

                        { result with
                            Shapes =
                                added result.First coverage.First
                                @ added result.Last coverage.Last
                                @ coverage.Shapes
                        }
                    else
                        result)

        let result =
            match shaped with
            | Some shaped when not isShape -> shaped
            | Some shaped ->
                { shaped with
                    Rest = conjunct :: shaped.Rest
                }
            | None ->
                { coverage with
                    Rest = conjunct :: coverage.Rest
                }

        result, conjunct :: earlier
    // ---- The analysis ----------------------------------------------------------------------------------------------------

    let private nothingKnown =
        {
            Conditions = []
            First = []
            Last = []
            Shapes = []
            Rest = []
            Leaves = []
            RestEmpty = no
            RestFull = yes
        }

    let private ofMaskWith checkedReads mask =
        let mask = Simplify.expression mask
        let inlined = Expr.inlineLocals mask

        if Expr.size inlined > largestAnalysed then
            { nothingKnown with
                Rest = [ mask ]
                RestFull = no
            }
        else
            let split =
                Conjuncts.ofMask (Simplify.expression inlined)
                |> List.fold (classify checkedReads) (nothingKnown, [])
                |> fst

            let leaves = TileRange.Leaves()
            let rest = List.rev split.Rest

            let tests = rest |> List.map (TileRange.possible leaves)

            let canBeTrue =
                tests |> List.fold (fun sum test -> TileRange.both And sum test.CanBeTrue) yes

            let mustBeTrue =
                tests |> List.fold (fun sum test -> TileRange.both And sum test.MustBeTrue) yes

            {
                Conditions = List.rev split.Conditions
                First = List.rev split.First
                Last = List.rev split.Last
                Shapes = split.Shapes
                Rest = rest
                Leaves = leaves.All
                RestEmpty = TileRange.opposite canBeTrue
                RestFull = mustBeTrue
            }

    /// The coverage of a mask (a closed bool expression without the score).
    let ofMask mask = ofMaskWith [] mask

    let ofSpec spec =
        ofMaskWith (Spec.checkedReads spec) (Spec.mask spec)

    /// Whether what the mask compares of keys differs from head to head.
    let hasHeadLeaves (coverage: Coverage) =
        let isHead expr =
            match expr with
            | Position Head -> true
            | _ -> false

        coverage.Leaves
        |> List.exists (fun leaf -> leaf.Axis = Dependence.Column && Expr.exists isHead leaf.Body)

    /// True when every pair within the lengths is kept.
    let keepsAll coverage =
        coverage.Conditions.IsEmpty
        && coverage.First.IsEmpty
        && coverage.Last.IsEmpty
        && coverage.Rest.IsEmpty

    /// True when the bounds say all of the mask: kinds of tiles are then exact.
    let isExact coverage = coverage.Rest.IsEmpty

    // ---- Its meaning, as the kernels compute it ----------------------------------------------------------------------------

    let private at (environment: Environment) query offset key =
        { environment with
            Field =
                fun field ->
                    match field with
                    | Query -> query
                    | QueryPosition -> query + offset
                    | Key -> key
                    | _ -> environment.Field field
        }

    let private longOf environment expr =
        match Evaluate.convert Long (Evaluate.expression environment expr) with
        | LongLiteral value -> value
        | _ -> invalidArg (nameof expr) "A bound is an integer."

    /// The keys that a row keeps by its bounds, within [0, KeyLength). The environment gives the uniform fields.
    let rowRange coverage (environment: Environment) query offset =
        let environment = at environment query offset 0

        if List.forall (Evaluate.isTrue environment) coverage.Conditions then
            {
                FirstKey =
                    coverage.First
                    |> List.fold (fun first bound -> max first (longOf environment bound)) 0L
                LastKey =
                    coverage.Last
                    |> List.fold
                        (fun last bound -> min last (longOf environment bound))
                        (int64 (environment.Field KeyLength) - 1L)
            }
        else
            {
                FirstKey = System.Int64.MaxValue
                LastKey = -1L
            }

    let private leafLocals coverage environment (queries: int list) (keys: int list) offset =
        let locals = System.Collections.Generic.Dictionary<string, Literal>()

        for leaf in coverage.Leaves do
            let values =
                if leaf.Axis = Dependence.Row then
                    [
                        for query in queries -> Evaluate.expression (at environment query offset 0) leaf.Body
                    ]
                else
                    [
                        for key in keys -> Evaluate.expression (at environment queries.Head offset key) leaf.Body
                    ]

            match Expr.typeOf leaf.Body with
            | Bool ->
                locals[leaf.Name + ".any"] <- BoolLiteral(List.contains (BoolLiteral true) values)
                locals[leaf.Name + ".all"] <- BoolLiteral(not (List.contains (BoolLiteral false) values))
            | Float ->
                locals[leaf.Name + ".low"] <- List.reduce (Evaluate.binary Min) values
                locals[leaf.Name + ".high"] <- List.reduce (Evaluate.binary Max) values
            | _ ->
                let values = values |> List.map (Evaluate.convert Long)
                locals[leaf.Name + ".low"] <- List.reduce (Evaluate.binary Min) values
                locals[leaf.Name + ".high"] <- List.reduce (Evaluate.binary Max) values

        locals

    /// The kind of the tile of these rows and keys (inclusive; keys within the lengths).
    let tile coverage (environment: Environment) offset (firstQuery, lastQuery) (firstKey, lastKey) =
        let ranges =
            [
                for query in firstQuery..lastQuery -> rowRange coverage environment query offset
            ]

        let lastKey = min lastKey (environment.Field KeyLength - 1)
        let first, last = int64 firstKey, int64 lastKey

        let touched =
            ranges
            |> List.exists (fun row -> row.FirstKey <= row.LastKey && row.FirstKey <= last && row.LastKey >= first)

        if lastKey < firstKey || not touched then
            Empty
        else
            let isCovered =
                ranges |> List.forall (fun row -> row.FirstKey <= first && row.LastKey >= last)

            if coverage.Rest.IsEmpty then
                if isCovered then Full else Partial
            else
                let locals =
                    leafLocals coverage environment [ firstQuery..lastQuery ] [ firstKey..lastKey ] offset

                let bind expr =
                    Seq.fold (fun body (KeyValue(name: string, value)) -> Let(name, Literal value, body)) expr locals

                if Evaluate.isTrue environment (bind coverage.RestEmpty) then
                    Empty
                elif isCovered && Evaluate.isTrue environment (bind coverage.RestFull) then
                    Full
                else
                    Partial
