using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FlashGen.Support;

/// <summary>
/// What ILGPU's PTX of a tensor-core kernel lacks, as a function of its text: the device's target, tensor maps as parameters, locals in
/// registers, names that are the same in every run (so that the driver finds a kernel that it compiled before).
/// </summary>
internal static partial class PtxPatch
{
    /// <summary>PTX that the driver takes.</summary>
    /// <param name="ptx">ILGPU's text.</param>
    /// <param name="target">The target, as in sm_90a.</param>
    /// <param name="isBFloat16">The 16-bit type; kernels are written for float16.</param>
    public static string Apply(string ptx, string target, bool isBFloat16)
    {
        ptx = TargetLine().Replace(ptx, ".target " + target);
        ptx = NameParameters(ptx);
        ptx = PassMaps(ptx);
        ptx = KeepLocals(ptx);
        ptx = NameLabels(ptx);
        ptx = DynamicShared().Replace(ptx, ".align 1024");
        // The products, their operands' conversions, and nothing else, know the type.
        return isBFloat16
            ? ptx.Replace(".f32.f16.f16", ".f32.bf16.bf16", StringComparison.Ordinal)
                .Replace("cvt.rn.f16x2.f32", "cvt.rn.bf16x2.f32", StringComparison.Ordinal)
            : ptx;
    }

    // _name_123 becomes name: the number varies from run to run.
    private static string NameParameters(string ptx)
    {
        foreach (Match declared in Parameter().Matches(ptx))
            ptx = Regex.Replace(ptx, $@"\b{declared.Groups[1].Value}\b", declared.Groups[2].Value);
        return ptx;
    }

    // A kernel takes a map's address and never its words, which ILGPU loads all the same.
    private static string PassMaps(string ptx)
    {
        foreach (string map in (string[])["queryMap", "keyMap", "valueMap"])
        {
            ptx = ptx.Replace($".align 8 .b8 {map}[128]", $".align 64 .b8 {map}[128]", StringComparison.Ordinal);
            ptx = Regex.Replace(ptx, $@"^.*ld\.param\.b64.*\[{map}(\+\d+)?\];\s*\n", "", RegexOptions.Multiline);
        }
        return ptx;
    }

    /// <summary>
    /// Locals whose address is taken (what PTX hands back to C#) become registers: each is stored and loaded by its own address alone.
    /// </summary>
    /// <exception cref="InvalidOperationException">One is used in another way.</exception>
    private static string KeepLocals(string ptx)
    {
        Dictionary<string, string> registers = new(StringComparer.Ordinal);
        Dictionary<string, int> sizes = new(StringComparer.Ordinal);
        foreach (Match local in Local().Matches(ptx))
            sizes.Add(local.Groups[1].Value, int.Parse(local.Groups[2].Value, CultureInfo.InvariantCulture));
        if (sizes.Count == 0)
            return ptx;
        foreach (Match address in LocalAddress().Matches(ptx))
            registers.Add(address.Groups[1].Value, address.Groups[2].Value);
        StringBuilder declarations = new();
        foreach ((string local, int size) in sizes)
            declarations.Append(
                CultureInfo.InvariantCulture,
                $"\t.reg .b{(size is 4 or 8 ? 8 * size : throw Unexpected(local))}\t{Register(local)};\n"
            );
        ptx = Local().Replace(ptx, "");
        ptx = LocalAddress().Replace(ptx, "");
        ptx = LocalAccess()
            .Replace(
                ptx,
                access =>
                {
                    bool isStore = access.Groups[1].Value == "st";
                    string address = access.Groups[isStore ? 2 : 5].Value;
                    string value = access.Groups[isStore ? 3 : 4].Value;
                    if (!registers.TryGetValue(address, out string? local))
                        throw Unexpected(access.Value);
                    string type = "b" + 8 * sizes[local];
                    return isStore
                        ? $"mov.{type} {Register(local)}, {value};"
                        : $"mov.{type} {value}, {Register(local)};";
                }
            );
        if (ptx.Contains(".local", StringComparison.Ordinal))
            throw Unexpected(ptx[ptx.IndexOf(".local", StringComparison.Ordinal)..].Split('\n')[0]);
        int body = ptx.IndexOf("\n{", StringComparison.Ordinal) + 3;
        return ptx.Insert(body, declarations.ToString());
    }

    private static string Register(string local) => local.TrimStart('_');

    private static string NameLabels(string ptx)
    {
        Dictionary<string, string> names = new(StringComparer.Ordinal);
        return Label()
            .Replace(
                ptx,
                label =>
                {
                    if (!names.TryGetValue(label.Value, out string? name))
                        names.Add(label.Value, name = "B" + names.Count.ToString(CultureInfo.InvariantCulture));
                    return name;
                }
            );
    }

    private static InvalidOperationException Unexpected(string what) =>
        new($"ILGPU wrote a local in a form that is not known: {what.Trim()}");

    [GeneratedRegex(@"\.target \w+")]
    private static partial Regex TargetLine();

    [GeneratedRegex(@"\.param [^\n]*?\b(_(\w+)_\d+)\b(?:\[\d+\])?,?\s*\n")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^\s*\.local \.align \d+ \.b8 (__local_depot\d+)\[(\d+)\];\s*\n", RegexOptions.Multiline)]
    private static partial Regex Local();

    [GeneratedRegex(@"^\s*mov\.b64\s+(%rd\d+), (__local_depot\d+);\s*\n", RegexOptions.Multiline)]
    private static partial Regex LocalAddress();

    [GeneratedRegex(@"\b(st|ld)\.local\.\w+\s+(?:\[(%rd\d+)\], ([^;]+)|([^,;]+), \[(%rd\d+)\]);")]
    private static partial Regex LocalAccess();

    [GeneratedRegex(@"\bL_\d+\b")]
    private static partial Regex Label();

    [GeneratedRegex(@"(?<=\.extern \.shared )\.align \d+")]
    private static partial Regex DynamicShared();
}
