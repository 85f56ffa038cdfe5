namespace FlashGen.Kernels;

/// <summary>The front door of the gallery: picks the variant that a call asks for.</summary>
public static partial class Attention;
