/// The C# of mods that BodyTests reads, evaluates and runs.
module FlashGen.Tests.Generator.BodyCases

/// A class body whose one method marked [MaskMod] or [ScoreMod] is compared.
type Case =
    {
        Title: string
        Body: string
        /// Units in the last place that may differ: the library's functions against rounded doubles.
        Ulps: int64
    }

let private exact title body =
    {
        Title = title
        Body = body
        Ulps = 0L
    }

let private rounded title body =
    {
        Title = title
        Body = body
        Ulps = 4L
    }

let private mask title parameters expression =
    exact title $"[MaskMod] static bool Keep(in Position at{parameters}) => {expression};"

let private score title parameters expression =
    exact title $"[ScoreMod] static float Change(float score, in Position at{parameters}) => {expression};"

let private function' name =
    rounded $"MathF.{name}" $"[ScoreMod] static float Change(float score) => MathF.{name}(score * 0.125f);"

/// Helpers of every case, in a file of their own.
let helpers =
    """
using System;
using FlashGen;
namespace Elsewhere;

internal static class Grid
{
    public const int Width = 7;
    internal static int Row(int token) => token / Width;
    internal static int Column(int token) => token % Width;
    internal static int Distance(int a, int b)
    {
        var rows = Math.Abs(Row(a) - Row(b));
        var columns = Math.Abs(Column(a) - Column(b));
        return Math.Max(rows, columns);
    }
    internal static bool Near(this in Position at, int radius) => Distance(at.QueryPosition, at.Key) <= radius;
    internal static float Looked(Table<float> table, int at, float whenOutside = -1f) =>
        at >= 0 && at < table.Length ? table[at] : whenOutside;
    internal static int Ordered(int first, int second, int third = 100) => first * 10000 + second * 100 + third;
    internal static bool Ignores(int unused, bool result) => result;
}
"""

let cases =
    [
        // Catalogue of masks.
        exact
            "a partial mod and a partial helper"
            "[ScoreMod] private static partial float Change(float score, in Position at); private static partial float Change(float score, in Position at) => Twice(score) + at.Key; private static partial float Twice(float x); private static partial float Twice(float y) => y + y;"
        mask "causal" "" "at.Key <= at.QueryPosition"
        mask "dilated window" "" "at.QueryPosition - at.Key is >= 0 and < 64 && (at.QueryPosition - at.Key) % 4 == 0"
        mask "global and sliding" "" "at.Key < 4 || Math.Abs(at.QueryPosition - at.Key) <= 8"
        mask "two-dimensional neighbourhood" "" "Grid.Distance(at.Query, at.Key) <= 2"
        mask "extension helper" "" "at.Near(3)"
        mask "tiled neighbourhood" "" "at.Query / 8 / 4 == at.Key / 8 / 4 && at.Query % 8 / 4 == at.Key % 8 / 4"
        mask "block diffusion" ", int block" "at.QueryPosition / block >= at.Key / block && at.QueryLength > at.Key"
        mask "tree of ancestors" ", Table<int> ancestor" "ancestor[ancestor[at.Query]] == at.Key || at.Query == at.Key"
        mask "packed bits" ", Table<uint> words" "(words[at.Key >> 5] >> (at.Key & 31) & 1u) != 0"
        mask "thresholds of keys" ", Table<float> threshold" "at.QueryPosition * 0.5f >= threshold[at.Key]"
        mask "documents" ", Table<int> document" "document[at.Query] == document[at.Key]"
        mask "bytes" ", Table<byte> kind" "kind[at.Query] == kind[at.Key] || kind[at.Key] + 250 > 255"
        mask "bools" ", Table<bool> seen, bool all" "all | seen[at.Key] ^ seen[at.Query]"
        mask "guarded read" ", Table<int> table" "at.Key < table.Length && table[at.Key] > 0"
        mask "guarded by ?:" ", Table<int> table" "at.Key >= table.Length ? at.Head > 3 : table[at.Key] > 0"
        mask "unguarded read beside &" ", Table<int> table" "at.Key < table.Length & table[at.Key] > 0"
        mask "long index" ", Table<long> table, long width" "table[at.Batch * width + at.Key] >= at.Query"
        mask
            "uint and int meet in long"
            ", uint bits, int number"
            "bits + number < 0 || bits * number > 5 || -bits > number"
        mask "uint arithmetic" ", uint a, uint b" "(a * b + a - b / 3u) % 11u > (a ^ b) % 7u"
        // Integers.
        mask "division of negatives" ", int a" "(at.QueryPosition - 50) / 7 + (at.Key - 50) % 7 == a / 5 - a % 3"
        mask "division by what may be zero" ", int a" "a != 0 && at.Key / a > 3 || at.Query % (a - at.Head) == 0"
        mask "wrapping" ", int a, long b" "a * a + a > 0 ^ b * b - b < 0"
        mask
            "shifts"
            ", int a, int n, long b, uint c"
            "(a << n) + (a >> n) + (a >>> n) > 0 || (b << n) + (b >> n) + (b >>> n) > 5 || (c << n) + (c >> n) > 9"
        mask "bitwise" ", int a, int b" "(a & b | a ^ ~b) > 0"
        mask
            "minimum and maximum"
            ", int a, uint b, long c"
            "Math.Min(a, at.Key) + Math.Max(b, 5u) + Math.Max(c, at.Query) > Math.Abs(c % 1000)"
        mask
            "sign and clamp"
            ", int a, long b"
            "Math.Sign(a) + Math.Sign(b) == Math.Clamp(a, -1, 1) || int.Clamp(a, 3, 9) == 4"
        mask "negation" ", int a, long b" "-a > +a || -b == b"
        // Conversions.
        mask "float to integers" ", float x" "(int)x > at.Key || (long)x < 0 || (uint)x > 7u"
        mask "integers to float" ", int a, uint b, long c" "(float)a + b < c"
        mask "narrowing" ", long a, uint b, int c" "(int)a > (int)b || (uint)a > (uint)c || (byte)c > 100"
        mask "implicit widening" ", int a, long b" "a < b && a + b > 7 || at.Key * 3L > b && a > 9"
        // Enumerations.
        exact
            "enumeration of ints"
            "enum Kind { Text, Image = 5, Audio } [MaskMod] static bool Keep(in Position at, Table<int> kind, int n) => (Kind)kind[at.Key] switch { Kind.Text => true, Kind.Image when at.Head > 1 => at.Key > n, Kind.Audio or (Kind)7 => at.Query > 3, _ => false };"
        exact
            "flags of bytes wrap as bytes"
            "[System.Flags] enum Flag : byte { None, A = 1, B = 2, Top = 128 } [MaskMod] static bool Keep(in Position at, Table<byte> flags, int n) { var own = (Flag)flags[at.Key]; var other = (Flag)n | Flag.A; return (own & ~other) != Flag.None && ~own + 3 > (Flag)n || own - Flag.Top > 100 || (int)(own ^ Flag.B) == n; }"
        exact
            "enumerations of uint and long, in helpers and locals"
            "enum Wide : long { Low = -5, High = 1L << 40 } enum Plain : uint { One = 1, Most = uint.MaxValue } static Wide Next(Wide wide) => wide == Wide.High ? Wide.Low : wide + 1; [MaskMod] static bool Keep(in Position at, long l, uint u) { const Plain most = Plain.Most; Wide next = Next((Wide)l); return next >= Wide.Low && (Plain)u < most - 1 || (long)next + (uint)Plain.One > l || default(Plain) == (Plain)at.Key; }"
        // Floats.
        mask "float comparisons" ", float x, float y" "x < y && x != -50f || x == y || !(x >= y) && x > 0"
        mask
            "exact float functions"
            ", float x, float y"
            "MathF.Sqrt(x) + MathF.Floor(y) > MathF.Min(x, y) * MathF.Max(x, y) - MathF.Abs(y)"
        mask "roundings" ", float x" "MathF.Round(x) + MathF.Ceiling(x) > MathF.Truncate(x) * 2f"
        mask
            "float classes"
            ", float x"
            "float.IsNaN(x) || float.IsPositiveInfinity(x) || !float.IsInfinity(x) && float.IsFinite(x) && x > 3f || float.IsNegativeInfinity(-x)"
        score "signed zeros" ", float x" "MathF.Max(x, -0f) + MathF.Min(-x, 0f) + Math.Clamp(x, 0f, 3f)"
        score "float remainder" ", float x" "score % x + x % 3f"
        score "association" ", float x, float y" "score * 3f + x * y - (x - y) / 3f"
        score "constants" "" "score * (float)Math.PI + MathF.E - int.MaxValue + float.Epsilon + (float)(1.0 / 3)"
        score "squared" "" "score * score"
        exact "no position" "[ScoreMod] static float Change(float score) => score * score - 1;"
        exact
            "position first"
            "[ScoreMod] static float Change(in Position at, Table<float> t, float score, float x) => score + x * t[at.Head];"
        exact
            "position by value"
            "[MaskMod] static bool Keep(Position at) => at.Batch + at.Head + at.KeyHead > at.KeyLength - at.QueryLength;"
        score
            "relative bias"
            ", Table<float> bias, int span"
            "score + bias[Math.Max(Math.Min(at.Key - at.QueryPosition, span), -span) + span]"
        score "two tables" ", Table<float> rows, Table<float> columns" "score + rows[at.Query] * columns[at.Key]"
        score "table lengths" ", Table<float> t" "score + t.Length * 0.5f"
        // Helpers.
        score
            "optional and named arguments"
            ""
            "score + Grid.Ordered(second: at.Key, first: at.Query) + Grid.Ordered(1, 2, third: 3)"
        score
            "table to a helper"
            ", Table<float> bias"
            "Grid.Looked(bias, at.Key) + Grid.Looked(whenOutside: score, table: bias, at: at.Query - 30)"
        mask "arguments are reached" ", Table<int> table" "Grid.Ignores(table[at.Key], at.Query > 3)"
        exact
            "helpers of the class"
            """
            [MaskMod] static bool Keep(in Position at, int a) => Twice(Twice(a)) > at.Key && Both(at);
            static int Twice(int x) { var y = x + x; return y; }
            static bool Both(Position where) => where.Key > 3 && Inner.Half(where.Key) < 40;
            static class Inner { public static int Half(int x) => x / 2; }
            """
        exact
            "names that meet"
            """
            [MaskMod] static bool Keep(in Position at, int x, int y) { var z = Helper(y, x); return z + x > at.Key; }
            static int Helper(int x, int y) { var z = x - y; var @in = z * 2; return @in + Other(z); }
            static int Other(int z) { var x = z + 1; return x; }
            """
        // Statements.
        exact
            "locals"
            """
            const int Window = 16;
            [MaskMod] static bool Keep(in Position at)
            {
                const int half = Window / 2;
                int distance = at.QueryPosition - at.Key, limit = half + 1;
                var near = distance < limit;
                ;
                { var inner = distance > -half; return near && inner; }
            }
            """
        exact
            "chain of ifs"
            """
            [ScoreMod] static float Change(float score, in Position at)
            {
                if (at.Key == 0) return score + 1f;
                if (at.Key > 70) { var far = score * 2f; return far - 1f; }
                else if (at.Head > 3) return -score;
                if (at.Query > 10)
                {
                    if (at.Query > 90) return 0f;
                    var unused = at.Query;
                }
                else
                    return score * 0.5f;
                return score;
            }
            """
        exact
            "read after a guard that returns"
            """
            [MaskMod] static bool Keep(in Position at, Table<int> t)
            {
                if (at.Key >= t.Length) return false;
                var value = t[at.Key];
                return value > at.Query || value < 0;
            }
            """
        // Patterns.
        score
            "switch of constants"
            ""
            "at.Head switch { 0 => score, 1 or 2 => score * 2, > 5 and not 7 => -score, _ => 1f }"
        score
            "switch with guards"
            ", int a"
            "(at.Key - at.Query) switch { 0 when a > 0 => 1f, var d when d > a => d * score, > -50 when a % 2 == 0 => 7f, int d => d - score }"
        score
            "switch on floats"
            ""
            "score switch { float.NaN => 3f, < -1f => -1f, 0f => 9f, >= -1f and <= 1f => score, _ => 1f }"
        score "exhaustive switch of bools" ", bool flip" "flip switch { true => -score, false => score }"
        score
            "switch on bytes"
            ", Table<byte> kind"
            "kind[at.Key] switch { 0 => score, 200 => 2f, < 100 => 3f, byte k => k }"
        mask "is patterns" ", long x, bool b" "x is 3 or > 10 and < 1000 && b is true || at.Key is not 5"
        mask "is nan" ", float x" "x is float.NaN || x is not (> 0f and < 100f)"
        mask
            "switch in a mask"
            ", Table<int> t"
            "t[at.Key] switch { < 0 => false, 0 => at.Key <= at.QueryPosition, _ => true }"
        // The library's functions.
        for name in
            [
                "Exp"
                "Log"
                "Log2"
                "Log10"
                "Sin"
                "Cos"
                "Tan"
                "Asin"
                "Acos"
                "Atan"
                "Sinh"
                "Cosh"
                "Tanh"
                "Cbrt"
            ] do
            function' name
        rounded "float.Exp2" "[ScoreMod] static float Change(float score) => float.Exp2(score * 0.125f);"
        rounded
            "MathF.Pow"
            "[ScoreMod] static float Change(float score, float x) => MathF.Pow(MathF.Abs(score), x * 0.01f);"
        rounded "MathF.Atan2" "[ScoreMod] static float Change(float score, float x) => MathF.Atan2(score, x);"
    ]
