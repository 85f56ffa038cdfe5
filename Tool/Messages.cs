namespace FlashGen.Tool;

/// <summary>Exceptions as lines for a user.</summary>
internal static class Messages
{
    /// <summary>The message without what .NET appends for programmers.</summary>
    public static string Of(Exception e)
    {
        string message = e.Message;
        if (e is ArgumentException { ParamName: { } name })
        {
            int end = message.IndexOf($" (Parameter '{name}')", StringComparison.Ordinal);
            if (end >= 0)
                message = message[..end];
        }
        return message;
    }
}
