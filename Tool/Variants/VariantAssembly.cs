using System.Reflection;
using System.Runtime.Loader;

namespace FlashGen.Tool.Variants;

/// <summary>
/// Loads a user's assembly beside the tool. Its dependencies come from where its own build says, but FlashGen and ILGPU are the tool's:
/// a variant of another FlashGen would be a variant of other types.
/// </summary>
internal static class VariantAssembly
{
    private static readonly Assembly Runtime = typeof(AttentionVariant).Assembly;

    /// <summary>The variants of an assembly.</summary>
    /// <param name="path">The file.</param>
    /// <param name="option">What the command line calls it, in front of the path.</param>
    /// <exception cref="ToolException">It cannot be loaded, was built with another FlashGen, or has no variants.</exception>
    public static IReadOnlyList<AttentionVariant> Load(string path, string option = "--assembly ")
    {
        string full = Path.GetFullPath(path);
        if (!File.Exists(full))
            throw new ToolException($"{option}{path}: there is no such file.");
        try
        {
            Assembly assembly = new Context(full).LoadFromAssemblyPath(full);
            CheckVersion(option + path, assembly);
            IReadOnlyList<AttentionVariant> variants = AttentionVariant.In(assembly);
            return variants.Count != 0
                ? variants
                : throw new ToolException(
                    $"{option}{path}: it declares no variants; a variant is a static partial class with [Attention]."
                );
        }
        catch (BadImageFormatException e)
        {
            throw new ToolException(
                $"{option}{path}: it is not a .NET assembly that can be run (those in obj/ref and obj/refint hold no code).",
                e
            );
        }
        catch (Exception e) when (Unwrap(e) is TypeLoadException or MissingMemberException or InvalidCastException)
        {
            throw new ToolException(
                $"{option}{path}: it was built with another FlashGen than this tool's {Runtime.GetName().Version}: {Unwrap(e).Message}",
                e
            );
        }
        catch (Exception e) when (Unwrap(e) is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            throw new ToolException($"{option}{path}: it cannot be loaded: {Unwrap(e).Message}", e);
        }
    }

    private static void CheckVersion(string what, Assembly assembly)
    {
        Version? wanted = assembly
            .GetReferencedAssemblies()
            .FirstOrDefault(name => name.Name == Runtime.GetName().Name)
            ?.Version;
        if (wanted is null)
            throw new ToolException(
                $"{what}: it does not use FlashGen, so it declares no variants; a variant is a static partial class with [Attention]."
            );
        if (wanted != Runtime.GetName().Version)
            throw new ToolException(
                $"{what}: it was built with FlashGen {wanted}; this tool has {Runtime.GetName().Version}. Use the tool of the same version."
            );
    }

    private static Exception Unwrap(Exception e) =>
        e is TargetInvocationException or TypeInitializationException && e.InnerException is { } inner
            ? Unwrap(inner)
            : e;

    private sealed class Context(string path) : AssemblyLoadContext(Path.GetFileName(path))
    {
        private readonly AssemblyDependencyResolver resolver = new(path);

        protected override Assembly? Load(AssemblyName name) =>
            // What the tool stands on is shared; null asks the tool's own context.
            name.Name == Runtime.GetName().Name
            || Runtime.GetReferencedAssemblies().Any(shared => shared.Name == name.Name)
                ? null
            : resolver.ResolveAssemblyToPath(name) is { } found ? LoadFromAssemblyPath(found)
            : null;

        protected override nint LoadUnmanagedDll(string name) =>
            resolver.ResolveUnmanagedDllToPath(name) is { } found ? LoadUnmanagedDllFromPath(found) : 0;
    }
}
