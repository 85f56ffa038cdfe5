using FlashGen.Dsl;
using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit;

/// <summary>
/// The surface of a refused class that cannot be given another half, because it is not partial, say: extension members (C# 14) beside
/// it, whose bodies throw, so that calls of it are no further errors.
/// </summary>
internal static class SubstituteEmitter
{
    public static string Emit(Declaration declaration)
    {
        string name = declaration.Spec.Name.Replace('.', '_');
        return $$"""
            {{Header}}
            using System;

            // In the global namespace, where calls from any namespace find it.
            internal static class {{name}}_Refused
            {
                extension({{SurfaceEmitter.FullName(declaration)}})
                {
            {{Indent(SurfaceEmitter.Members(declaration), 2)}}
                }

            {{Indent(SurfaceEmitter.Kernels(declaration), 1)}}
            }

            """.Replace("\r\n", "\n");
    }
}
