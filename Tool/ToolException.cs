namespace FlashGen.Tool;

/// <summary>What the user gave cannot be used; the message says what it was and what is allowed, and is all that is printed.</summary>
internal sealed class ToolException(string message, Exception? inner = null) : Exception(message, inner);
