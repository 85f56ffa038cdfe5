namespace FlashGen.Tool;

/// <summary>What the user gave cannot be used; the message says what it was and what is allowed, and is all that is printed.</summary>
internal class ToolException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A mod read outside a table or divided by zero on a device, which does not say where.</summary>
internal sealed class DeviceFaultException(string message) : ToolException(message);
