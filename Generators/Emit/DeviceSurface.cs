using FlashGen.Dsl;

namespace FlashGen.Generators.Emit;

/// <summary>Load, and the kernels that it returns.</summary>
internal static class DeviceSurface
{
    public static string Emit(Declaration declaration, string refused) =>
        $$"""
            /// <summary>Loads the best kernels that a device can run.</summary>
            /// <exception cref="NotSupportedException">None was generated that this device can run.</exception>
            public static global::FlashGen.AttentionKernels Load(global::ILGPU.Runtime.Accelerator accelerator)
            {
                {{(
                declaration.Rejected
                    ? refused
                    : $"throw new NotSupportedException(\"{declaration.Spec.Name} has no kernel for devices.\");"
            )}}
            }
            """;
}
