/// The canonical text of a plan: what the tuning file, emitted files and messages say of it.
namespace FlashGen.Dsl

open System
open System.Globalization

[<RequireQualifiedAccess>]
module PlanText =
    let private text (value: int) =
        value.ToString CultureInfo.InvariantCulture

    /// One line: target, sizes, schedule. The same plan has the same text.
    let print (plan: TilePlan) =
        let schedule =
            match plan.Schedule with
            | SimdSchedule s ->
                [
                    "bits=" + text s.VectorBits
                    "rows=" + text s.RowVectors
                    "panels=" + text s.Panels
                    "keys=" + text s.KeyUnroll
                    "values=" + text s.ValueUnroll
                ]
            | PortableSchedule s ->
                [
                    "threads=" + text s.Threads
                    "rows=" + text s.ThreadRows
                    "columns=" + text s.ThreadColumns
                    "head=" + text s.HeadSlice
                    "value=" + text s.ValueSlice
                ]
            | TensorSchedule s -> [ "warps=" + text s.Warps; "stages=" + text s.Stages ]

        String.Join(
            " ",
            [
                TargetDescription.name plan.Target
                TilePlan.typeName plan.Type
                "d=" + text plan.Dims.HeadDim
                "dv=" + text plan.Dims.ValueDim
                TilePlan.shapeClassName plan.ShapeClass
                "m=" + text plan.BlockM
                "n=" + text plan.BlockN
            ]
            @ schedule
        )

    let private parseFields (fields: string list) =
        let pairs =
            fields
            |> List.map (fun field ->
                match field.Split '=' with
                | [| name; value |] ->
                    match Int32.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture) with
                    | true, number -> Ok(name, number)
                    | _ -> Error("'" + field + "' is not name=number.")
                | _ -> Error("'" + field + "' is not name=number."))

        match
            List.tryPick
                (fun pair ->
                    match pair with
                    | Error reason -> Some reason
                    | Ok _ -> None)
                pairs
        with
        | Some reason -> Error reason
        | None ->
            pairs
            |> List.choose (fun pair ->
                match pair with
                | Ok pair -> Some pair
                | Error _ -> None)
            |> Map.ofList
            |> Ok

    let private byName name (cases: ('case * string) list) what =
        match List.tryFind (fun (_, text) -> text = name) cases with
        | Some(case, _) -> Ok case
        | None -> Error("'" + name + "' is no " + what + ".")

    let private types =
        [ for t in [ Float16; BFloat16; Float32; Float64 ] -> t, TilePlan.typeName t ]

    let private shapeClasses =
        [ for s in [ Short; Long; Decode ] -> s, TilePlan.shapeClassName s ]

    /// The plan of a canonical text, or what is wrong with it.
    let parse (line: string) : Result<TilePlan, string> =
        let (>>=) result next = Result.bind next result

        match line.Split([| ' ' |], StringSplitOptions.RemoveEmptyEntries) |> List.ofArray with
        | target :: elementType :: d :: dv :: shapeClass :: fields ->
            byName elementType types "element type"
            >>= fun elementType ->
                byName shapeClass shapeClasses "shape class"
                >>= fun shapeClass ->
                    parseFields (d :: dv :: fields)
                    >>= fun numbers ->
                        let missing =
                            (match target with
                             | "simd" -> [ "bits"; "rows"; "panels"; "keys"; "values" ]
                             | "sm80"
                             | "sm90" -> [ "warps"; "stages" ]
                             | "portable" -> [ "threads"; "rows"; "columns"; "head"; "value" ]
                             | _ -> [])
                            @ [ "d"; "dv"; "m"; "n" ]
                            |> List.filter (fun name -> not (Map.containsKey name numbers))

                        let plan kind schedule =
                            Ok
                                {
                                    Target = kind
                                    Type = elementType
                                    Dims =
                                        {
                                            HeadDim = numbers["d"]
                                            ValueDim = numbers["dv"]
                                        }
                                    ShapeClass = shapeClass
                                    BlockM = numbers["m"]
                                    BlockN = numbers["n"]
                                    Schedule = schedule
                                }

                        match target, missing with
                        | _, name :: _ -> Error("'" + name + "' is missing.")
                        | "simd", _ ->
                            plan
                                Simd
                                (SimdSchedule
                                    {
                                        VectorBits = numbers["bits"]
                                        RowVectors = numbers["rows"]
                                        Panels = numbers["panels"]
                                        KeyUnroll = numbers["keys"]
                                        ValueUnroll = numbers["values"]
                                    })
                        | "portable", _ ->
                            plan
                                Portable
                                (PortableSchedule
                                    {
                                        Threads = numbers["threads"]
                                        ThreadRows = numbers["rows"]
                                        ThreadColumns = numbers["columns"]
                                        HeadSlice = numbers["head"]
                                        ValueSlice = numbers["value"]
                                    })
                        | "sm80", _
                        | "sm90", _ ->
                            plan
                                (if target = "sm80" then Sm80 else Sm90)
                                (TensorSchedule
                                    {
                                        Warps = numbers["warps"]
                                        Stages = numbers["stages"]
                                    })
                        | other, _ -> Error("'" + other + "' is no target with plans.")
        | _ -> Error "A plan is: target type d=N dv=N class m=N n=N and its schedule."
