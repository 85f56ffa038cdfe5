using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using FlashGen.Support;
using ILGPU.Runtime;

namespace FlashGen;

/// <summary>
/// An attention variant as data: what the class declared, what was generated for it, and the same calls by name that the class offers
/// by type. Generated code builds it; read it from the class's <c>Variant</c>, or from an assembly with <see cref="In"/>.
/// </summary>
public sealed partial class AttentionVariant
{
    /// <summary>The class's full name.</summary>
    public required string Name { get; init; }

    /// <summary>The class that declares the variant; its attributes say what it means.</summary>
    [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicMethods | DynamicallyAccessedMemberTypes.NonPublicMethods
    )]
    public required Type Declaration { get; init; }

    /// <summary>The declaration in canonical text.</summary>
    public required string Spec { get; init; }

    /// <summary>A hash of the declaration's meaning: the same for two classes that mean the same.</summary>
    public required string SpecHash { get; init; }

    /// <summary>The head and value dimensions declared; empty means any up to 256.</summary>
    public required IReadOnlyList<(int HeadDim, int ValueDim)> Dims { get; init; }

    /// <summary>The element types declared.</summary>
    public required ElementTypes Types { get; init; }

    /// <summary>Where query rows stand among the keys when the shape gives no offsets.</summary>
    public required Alignment Align { get; init; }

    /// <summary>The axis order behind the default strides.</summary>
    public required TensorLayout Layout { get; init; }

    /// <summary>Whether the assembly's kernels were compiled with optimisation; without it they are 10 to 50 times slower.</summary>
    public required bool Optimized { get; init; }

    /// <summary>The run-time arguments, in the order of <c>Forward</c>.</summary>
    public required IReadOnlyList<ArgumentInfo> Arguments { get; init; }

    /// <summary>The plans that kernels were generated from.</summary>
    public required IReadOnlyList<PlanInfo> Plans { get; init; }

    /// <summary>Why there is no kernel for the targets that have none.</summary>
    public required IReadOnlyList<TargetRefusal> Refusals { get; init; }

    /// <summary>The user's own masks, compiled, in source order.</summary>
    public required IReadOnlyList<MaskDelegate> Masks { get; init; }

    /// <summary>The user's own score changes, compiled, in source order.</summary>
    public required IReadOnlyList<ScoreDelegate> Scores { get; init; }

    /// <summary>The generated calls behind this description.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    public required VariantEntry Entry { get; init; }

    /// <summary>The variants that an assembly declares, in ordinal order of their names.</summary>
    /// <exception cref="InvalidOperationException">The assembly's index names a class without a variant.</exception>
    public static IReadOnlyList<AttentionVariant> In(Assembly assembly)
    {
        ArgumentNullException.ThrowIfNull(assembly);
        const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        return
        [
            .. assembly
                .GetCustomAttributes<AttentionVariantIndexAttribute>()
                .Select(index =>
                    index.Declaration.GetProperty("Variant", Static)?.GetValue(null) as AttentionVariant
                    ?? throw new InvalidOperationException(
                        $"{assembly.GetName().Name} lists {index.Declaration} as a variant, but it has no static property Variant."
                    )
                )
                .OrderBy(variant => variant.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>Loads the best kernel that a device can run. Dispose the result before the accelerator.</summary>
    /// <exception cref="NotSupportedException">None was generated that this device can run.</exception>
    public AttentionKernels Load(Accelerator accelerator)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        return Entry.Load(accelerator);
    }

    /// <summary>Loads kernels of a target at best, to compare a device's targets with each other.</summary>
    /// <param name="accelerator">The device.</param>
    /// <param name="best">The best target to take: Portable, Sm80 or Sm90.</param>
    /// <exception cref="NotSupportedException">None was generated that this device can run.</exception>
    public AttentionKernels Load(Accelerator accelerator, Target best)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        if (best is not (Target.Portable or Target.Sm80 or Target.Sm90))
            throw new ArgumentException($"best is {best}; devices have Portable, Sm80 and Sm90.", nameof(best));
        return TensorDevice.AtBest(best, () => Entry.Load(accelerator));
    }

    /// <summary>
    /// Why a device runs none of the variant's kernels for a target, or not all of them: what <see cref="Refusals"/> says, then what the
    /// device lacks. A call whose kernel it cannot run falls to the next target; <see cref="AttentionKernels.PlanFor"/> says which.
    /// </summary>
    public IReadOnlyList<TargetRefusal> RefusalsOn(Accelerator accelerator)
    {
        ArgumentNullException.ThrowIfNull(accelerator);
        return [.. Refusals, .. TensorDevice.Of(accelerator).Refusals(Plans)];
    }

    /// <summary>The class's full name.</summary>
    public override string ToString() => Name;
}
