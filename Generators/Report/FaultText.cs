namespace FlashGen.Generators.Report;

/// <summary>What a fault of the generator says of itself in a diagnostic: one line, as compilers print them.</summary>
internal static class FaultText
{
    public static string Of(Exception fault)
    {
        var place = fault.StackTrace?.Split('\n').FirstOrDefault()?.Trim();
        var text = $"{fault.GetType().Name}: {fault.Message} ({place})";
        return text.Replace("\r", "").Replace('\n', ' ');
    }
}
