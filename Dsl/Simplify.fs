/// Expressions in canonical form: constants folded, literals on the right, comparisons and bools in one way of writing,
/// and only those locals that earn their name. The meaning stays to the bit, faults included (Algebra says how).
namespace FlashGen.Dsl

open System.Collections.Generic

/// How often a local is read, and whether its one read is reached wherever the local is.
type private Usage = { Reads: int; Reached: bool }

[<RequireQualifiedAccess>]
module Simplify =
    /// Gives a binder whose name is taken another one: two mods, or two calls of a helper, may name alike.
    let private distinctLocals expr =
        let taken = HashSet<string>()

        let rec unused name count =
            let candidate = name + "_" + string<int> count

            if taken.Add candidate then
                candidate
            else
                unused name (count + 1)

        let rec go names expr =
            match expr with
            | Local(name, scalarType) ->
                match Map.tryFind name names with
                | Some other -> Local(other, scalarType)
                | None -> expr
            | Let(name, value, body) ->
                let value = go names value
                let other = if taken.Add name then name else unused name 2
                Let(other, value, go (Map.add name other names) body)
            | _ -> Expr.map (go names) expr

        // A local from outside keeps its name.
        let rec reserve bound expr =
            match expr with
            | Local(name, _) when not (Set.contains name bound) -> taken.Add name |> ignore
            | Let(name, value, body) ->
                reserve bound value
                reserve (Set.add name bound) body
            | _ -> List.iter (reserve bound) (Expr.children expr)

        reserve Set.empty expr
        go Map.empty expr

    /// Bodies before values: a value that nobody reads and that cannot fault keeps no other local alive.
    let private usages (algebra: Algebra) expr =
        let reads = Dictionary<string, int>()
        // How many conditions stand around the last read of a local: as many as around the local, or more.
        let levels = Dictionary<string, int>()
        let usages = Dictionary<string, Usage>()

        let rec go level expr =
            match expr with
            | Local(name, _) ->
                reads.[name] <-
                    (match reads.TryGetValue name with
                     | true, count -> count + 1
                     | _ -> 1)

                levels.[name] <- level
            | Let(name, value, body) ->
                go level body

                let count =
                    match reads.TryGetValue name with
                    | true, count -> count
                    | _ -> 0

                usages.[name] <-
                    {
                        Reads = count
                        Reached = count > 0 && levels.[name] = level
                    }

                if count > 0 || algebra.CanFault value then
                    go level value
            | Binary((And | Or), left, right) ->
                go level left
                go (level + 1) right
            | Select(condition, ifTrue, ifFalse) ->
                go level condition
                go (level + 1) ifTrue
                go (level + 1) ifFalse
            | _ -> List.iter (go level) (Expr.children expr)

        go 0 expr
        usages

    let private isLeaf expr = List.isEmpty (Expr.children expr)

    /// One walk over the tree. What the algebra removes may free a local, which the next walk sees.
    let private pass expr =
        let algebra = Algebra()
        let usages = usages algebra expr

        let rec go locals expr =
            match expr with
            | Literal _
            | Position _
            | Score
            | Scalar _
            | TableLength _ -> expr
            | Local(name, _) ->
                match Map.tryFind name locals with
                | Some value -> value
                | None -> expr
            | Unary(Not, operand) -> negation locals operand
            | Unary(op, operand) -> algebra.Unary op (go locals operand)
            | Binary((And | Or) as op, _, _) -> algebra.Chain op (List.map (go locals) (Bools.parts op expr))
            | Binary(op, left, right) ->
                let left = go locals left
                algebra.Binary op left (go locals right)
            | Convert(target, operand) -> algebra.Convert target (go locals operand)
            | TableRead(table, element, index) -> algebra.TableRead table element (go locals index)
            | Select(condition, ifTrue, ifFalse) ->
                match go locals condition with
                | Literal(BoolLiteral value) -> go locals (if value then ifTrue else ifFalse)
                | condition -> algebra.Select condition (go locals ifTrue) (go locals ifFalse)
            | Let(name, value, body) ->
                let usage = usages.[name]

                if usage.Reads = 0 && not (algebra.CanFault value) then
                    go locals body
                else
                    let value = go locals value

                    if
                        isLeaf value
                        || (usage.Reads = 1 && (usage.Reached || not (algebra.CanFault value)))
                    then
                        go (Map.add name value locals) body
                    else
                        Let(name, value, go locals body)

        // Not moves inwards one level at a time, so that the walk meets it again below.
        and negation locals operand =
            let negated operand = Unary(Not, operand)

            match operand with
            | Unary(Not, inner) -> go locals inner
            | Binary(And, left, right) -> go locals (Binary(Or, negated left, negated right))
            | Binary(Or, left, right) -> go locals (Binary(And, negated left, negated right))
            | Select(condition, ifTrue, ifFalse) -> go locals (Select(condition, negated ifTrue, negated ifFalse))
            | Let(name, value, body) -> go locals (Let(name, value, negated body))
            | _ -> algebra.Unary Not (go locals operand)

        go Map.empty expr

    /// The same meaning in canonical form; simplifying again changes nothing. Never larger than the expression given,
    /// and the time grows with its size. Names of locals are unique in the result.
    let expression expr =
        let rec settle expr =
            let simpler = pass expr
            if simpler = expr then expr else settle simpler

        settle (distinctLocals expr)
