using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace FlashGen.Support;

/// <summary>
/// What ILGPU's PTX of a tensor-core kernel lacks, as a function of its text: the device's target, tensor maps as parameters, locals in
/// registers, loads that say where their views are, a merge that is there only where a call needs it, names that are the same in every run (so that the driver finds a kernel that it compiled
/// before). It goes over the lines once; most are long blocks of a tile operation, in which there is nothing to find.
/// </summary>
internal sealed partial class PtxPatch
{
    private const string Load = "\tld";

    // The parameter that a kernel without a merge has no use for.
    private const string Counters = "arrivals";

    // By which a kernel that puts parts together follows the one before it. A branch around it would part what the driver's compiler can put in
    // order, and took 4 to 28 bytes of spills.
    private const string Following = "griddepcontrol";

    // A kernel takes a map's address and never its words.
    private static readonly string[] maps = ["queryMap", "keyMap", "valueMap"];

    private readonly Dictionary<string, string> parameters = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> labels = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> localSizes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> localOfAddress = new(StringComparer.Ordinal);

    private readonly bool isMerging;

    private PtxPatch(bool isMerging) => this.isMerging = isMerging;

    /// <summary>PTX that the driver takes.</summary>
    /// <param name="ptx">ILGPU's text.</param>
    /// <param name="target">The target, as in sm_90a.</param>
    /// <param name="isBFloat16">The 16-bit type; kernels are written for float16.</param>
    /// <param name="isMerging">
    /// Whether the kernel puts parts of keys together (<see cref="TensorLastPart"/>). Where it does not, it has no counters, so that the driver's
    /// compiler, which takes up to a fifth longer for it, sees that nothing of it is reached; nor does it follow another kernel by itself.
    /// </param>
    /// <exception cref="InvalidOperationException">A local is used in a way that is not known.</exception>
    public static string Apply(string ptx, string target, bool isBFloat16, bool isMerging = false)
    {
        PtxPatch patch = new(isMerging);
        StringBuilder patched = new(ptx.Length);
        foreach (ReadOnlySpan<char> line in ptx.AsSpan().TrimEnd('\n').EnumerateLines())
        {
            if (line.StartsWith(".target ", StringComparison.Ordinal))
                patched.Append(CultureInfo.InvariantCulture, $".target {target}\n");
            else if (IsGenericLoad(line))
                patched.Append("\tld.global").Append(line[Load.Length..]).Append('\n');
            else if (!IsTouched(line))
                patched.Append(line).Append('\n');
            else if (patch.Line(line.ToString()) is { } changed)
                patched.Append(changed).Append('\n');
        }
        // The products, their operands' conversions, and nothing else, know the type.
        if (isBFloat16)
            patched.Replace(".f32.f16.f16", ".f32.bf16.bf16").Replace("cvt.rn.f16x2.f32", "cvt.rn.bf16x2.f32");
        return patched.ToString();
    }

    // Views of a kernel are in global memory, and ILGPU names the space of all others: without it the driver's compiler keeps a load
    // behind every store to shared memory.
    private static bool IsGenericLoad(ReadOnlySpan<char> line) =>
        line.StartsWith(Load, StringComparison.Ordinal)
        && line.Length > Load.Length + 2
        && line[Load.Length] == '.'
        && char.IsDigit(line[Load.Length + 2]);

    private static bool IsTouched(ReadOnlySpan<char> line) =>
        line.Contains(".param", StringComparison.Ordinal)
        || line.Contains("L_", StringComparison.Ordinal)
        || line.Contains(Following, StringComparison.Ordinal)
        || line.Contains("local", StringComparison.Ordinal)
        || line.Contains(".extern .shared", StringComparison.Ordinal);

    // Null for a line that goes.
    private string? Line(string line)
    {
        if (line.Contains(".param", StringComparison.Ordinal))
            return ParameterLine(line);
        if (line.Contains("local", StringComparison.Ordinal))
            return LocalLine(line);
        if (line.Contains(Following, StringComparison.Ordinal))
            return isMerging ? line : null;
        return Label().Replace(DynamicShared().Replace(line, ".align 1024"), label => LabelName(label.Value));
    }

    // _name_123 becomes name: the number varies from run to run. ILGPU loads the words of a map, used or not.
    private string? ParameterLine(string line)
    {
        Match declared = Parameter().Match(line);
        if (declared.Success)
        {
            (string numbered, string name) = (declared.Groups[1].Value, declared.Groups[2].Value);
            parameters.Add(numbered, name);
            line = line.Replace(numbered, name, StringComparison.Ordinal);
            return Array.IndexOf(maps, name) < 0
                ? line
                : line.Replace(".align 8", ".align 64", StringComparison.Ordinal);
        }
        Match used = ParameterUse().Match(line);
        if (!used.Success || !parameters.TryGetValue(used.Groups[1].Value, out string? known))
            return line;
        if (known == Counters && !isMerging)
            return line.Replace("ld.param", "mov", StringComparison.Ordinal)
                .Replace($"[{used.Groups[1].Value}]", "0", StringComparison.Ordinal);
        return Array.IndexOf(maps, known) < 0
            ? line.Replace(used.Groups[1].Value, known, StringComparison.Ordinal)
            : null;
    }

    // Locals whose address is taken (what PTX hands back to C#) become registers: each is stored and loaded by its own address alone.
    private string? LocalLine(string line)
    {
        if (Local().Match(line) is { Success: true } local)
        {
            int size = int.Parse(local.Groups[2].Value, CultureInfo.InvariantCulture);
            if (size is not (4 or 8))
                throw Unexpected(line);
            localSizes.Add(local.Groups[1].Value, size);
            return string.Create(
                CultureInfo.InvariantCulture,
                $"\t.reg .b{8 * size}\t{Register(local.Groups[1].Value)};"
            );
        }
        if (LocalAddress().Match(line) is { Success: true } address)
        {
            localOfAddress.Add(address.Groups[1].Value, address.Groups[2].Value);
            return null;
        }
        string changed = LocalAccess().Replace(line, InRegister);
        return changed.Contains(".local", StringComparison.Ordinal) ? throw Unexpected(line) : changed;
    }

    private string InRegister(Match access)
    {
        bool isStore = access.Groups[1].Value == "st";
        string value = access.Groups[isStore ? 3 : 4].Value;
        if (!localOfAddress.TryGetValue(access.Groups[isStore ? 2 : 5].Value, out string? local))
            throw Unexpected(access.Value);
        string type = "b" + (8 * localSizes[local]).ToString(CultureInfo.InvariantCulture);
        return isStore ? $"mov.{type} {Register(local)}, {value};" : $"mov.{type} {value}, {Register(local)};";
    }

    private static string Register(string local) => local.TrimStart('_');

    private string LabelName(string label)
    {
        if (!labels.TryGetValue(label, out string? name))
            labels.Add(label, name = "B" + labels.Count.ToString(CultureInfo.InvariantCulture));
        return name;
    }

    private static InvalidOperationException Unexpected(string what) =>
        new($"ILGPU wrote a local in a form that is not known: {what.Trim()}");

    [GeneratedRegex(@"^\s*\.param .*\b(_(\w+)_\d+)\b(?:\[\d+\])?,?\s*$")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"ld\.param.*\[(_\w+_\d+)(?:\+\d+)?\];\s*$")]
    private static partial Regex ParameterUse();

    [GeneratedRegex(@"^\s*\.local \.align \d+ \.b8 (__local_depot\d+)\[(\d+)\];\s*$")]
    private static partial Regex Local();

    [GeneratedRegex(@"^\s*mov\.b64\s+(%rd\d+), (__local_depot\d+);\s*$")]
    private static partial Regex LocalAddress();

    [GeneratedRegex(@"\b(st|ld)\.local\.\w+\s+(?:\[(%rd\d+)\], ([^;]+)|([^,;]+), \[(%rd\d+)\]);")]
    private static partial Regex LocalAccess();

    [GeneratedRegex(@"\bL_\d+\b")]
    private static partial Regex Label();

    [GeneratedRegex(@"(?<=\.extern \.shared )\.align \d+")]
    private static partial Regex DynamicShared();
}
