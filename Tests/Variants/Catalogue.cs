using System.Reflection;

namespace FlashGen.Tests.Variants;

/// <summary>The variants written to break the compiler.</summary>
public static class Catalogue
{
    /// <summary>The assembly that declares them.</summary>
    public static Assembly Assembly => typeof(Catalogue).Assembly;
}
