/// The shape of canonical texts: lines of words, quoted names and groups in parentheses. What they mean is for ExprText and Text.
namespace FlashGen.Dsl

open System
open System.Globalization
open System.Text

/// A piece of a line, with where in the text it begins.
type internal Node =
    | Word of text: string * at: int
    | Quoted of text: string * at: int
    | Group of Node list * at: int

/// A text that does not say what it should: what is wrong, and where it begins.
exception internal Unreadable of at: int * message: string

[<RequireQualifiedAccess>]
module internal Syntax =
    /// Deeper groups are refused, for reading is recursive.
    let maxDepth = 500

    let fail at message : 'a = raise (Unreadable(at, message))

    let position node =
        match node with
        | Word(_, at)
        | Quoted(_, at)
        | Group(_, at) -> at

    /// A node in the words of a message.
    let describe node =
        match node with
        | Word(text, _) -> "'" + text + "'"
        | Quoted(text, _) -> "the name \"" + text + "\""
        | Group _ -> "a group"

    let private isPlain (character: char) =
        (character >= 'a' && character <= 'z')
        || (character >= 'A' && character <= 'Z')
        || (character >= '0' && character <= '9')
        || character = '_'
        || character = '.'
        || character = '+'

    /// True for a name that is a word as it stands.
    let isBare (name: string) = name <> "" && Seq.forall isPlain name

    let private appendEscaped (output: StringBuilder) (character: char) =
        match character with
        | '"'
        | '\\' -> output.Append('\\').Append(character)
        | _ when character >= ' ' && character <= '~' -> output.Append character
        | _ -> output.Append("\\u").Append((int character).ToString("x4", CultureInfo.InvariantCulture))

    /// Appends a name, quoted if it is no plain word.
    let appendName (output: StringBuilder) (name: string) =
        if isBare name then
            output.Append name |> ignore
        else
            output.Append '"' |> ignore

            for character in name do
                appendEscaped output character |> ignore

            output.Append '"' |> ignore

    let private readQuoted (text: string) start =
        let name = StringBuilder()

        let hexadecimal at =
            let digits = text.Substring(at, min 4 (text.Length - at))

            match Int32.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) with
            | true, code when digits.Length = 4 -> char code
            | _ -> fail (at - 2) "\\u takes four hexadecimal digits."

        let rec go at =
            if at >= text.Length || text.[at] = '\n' then
                fail start "A quoted name is not closed on its line."
            else
                match text.[at] with
                | '"' -> at + 1
                | '\\' when at + 1 < text.Length && (text.[at + 1] = '"' || text.[at + 1] = '\\') ->
                    name.Append text.[at + 1] |> ignore
                    go (at + 2)
                | '\\' when at + 1 < text.Length && text.[at + 1] = 'u' ->
                    name.Append(hexadecimal (at + 2)) |> ignore
                    go (at + 6)
                | '\\' -> fail at "A backslash stands before \", \\ or u."
                | character ->
                    name.Append character |> ignore
                    go (at + 1)

        let next = go (start + 1)
        Quoted(name.ToString(), start), next

    let private readWord (text: string) start =
        let mutable stop = start

        while stop < text.Length
              && not (Char.IsWhiteSpace text.[stop])
              && "()\"".IndexOf text.[stop] < 0 do
            stop <- stop + 1

        Word(text.Substring(start, stop - start), start), stop

    /// The lines of a text that hold anything. Inside parentheses an end of line is a space.
    let read (text: string) =
        // The open groups, innermost first, each with its nodes so far, last first; the line itself is the outermost.
        let rec go at (opened: (int * Node list) list) lines =
            let put node next =
                match opened with
                | (start, nodes) :: outer -> go next ((start, node :: nodes) :: outer) lines
                | [] -> go next [ at, [ node ] ] lines

            let closed nodes =
                if List.isEmpty nodes then
                    lines
                else
                    List.rev nodes :: lines

            if at >= text.Length then
                match opened with
                | [ _, nodes ] -> List.rev (closed nodes)
                | (start, _) :: _ -> fail start "A group is not closed."
                | [] -> List.rev lines
            else
                match text.[at], opened with
                | '\n', [ _, nodes ] -> go (at + 1) [ at + 1, [] ] (closed nodes)
                | character, _ when Char.IsWhiteSpace character -> go (at + 1) opened lines
                | '(', _ when opened.Length > maxDepth ->
                    fail at ("Groups nest deeper than " + string<int> maxDepth + ".")
                | '(', _ -> go (at + 1) ((at, []) :: opened) lines
                | ')', (start, nodes) :: (outerStart, outerNodes) :: outer ->
                    go (at + 1) ((outerStart, Group(List.rev nodes, start) :: outerNodes) :: outer) lines
                | ')', _ -> fail at "This ) closes nothing."
                | '"', _ -> readQuoted text at ||> put
                | _ -> readWord text at ||> put

        go 0 [ 0, [] ] []

    /// Runs a reader; what it cannot read comes back with line and column, counted from 1.
    let run (text: string) (reader: unit -> 'a) : Result<'a, string> =
        try
            Ok(reader ())
        with Unreadable(at, message) ->
            let before = text.Substring(0, min at text.Length)

            let line =
                1 + (before |> Seq.filter (fun character -> character = '\n') |> Seq.length)

            let column = before.Length - before.LastIndexOf '\n'
            Error("Line " + string<int> line + ", column " + string<int> column + ": " + message)
