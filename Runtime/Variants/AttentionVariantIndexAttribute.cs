using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;

namespace FlashGen;

/// <summary>Names a class of this assembly that declares a variant; generated, and read by <see cref="AttentionVariant.In"/>.</summary>
/// <param name="declaration">The class; its static property <c>Variant</c> is the variant.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class AttentionVariantIndexAttribute(
    [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.NonPublicProperties
    )]
        Type declaration
) : Attribute
{
    /// <summary>The class that declares the variant.</summary>
    [DynamicallyAccessedMembers(
        DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.NonPublicProperties
    )]
    public Type Declaration { get; } = declaration;
}
