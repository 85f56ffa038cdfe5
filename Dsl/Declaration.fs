/// A declaration in its C# surroundings: the spec, and what the generated half of the class must say to fit the user's half.
namespace FlashGen.Dsl

/// One parameter of a mod method, in order.
type ModParameter =
    | ScoreParameter
    | PositionParameter
    /// A table or scalar: the argument's name.
    | ArgumentParameter of name: string * ArgumentType

/// A method marked [MaskMod] or [ScoreMod]; the reference calls it as it was compiled.
type ModMethod =
    {
        Method: string
        IsMask: bool
        Parameters: ModParameter list
    }

/// A partial type that the generated file opens: `public static partial class Outer`.
type PartialType =
    {
        Modifiers: string
        Keyword: string
        TypeName: string
    }

type Declaration =
    {
        Spec: AttentionSpec
        /// Empty for the global namespace.
        Namespace: string
        /// Outermost first; the last one is the declaration itself.
        Types: PartialType list
        /// public or internal, the effective accessibility for the members that are generated.
        Accessibility: string
        Methods: ModMethod list
        /// The compilation optimises; kernels run 10 to 50 times slower without.
        Optimized: bool
        /// The class was refused: it still gets its surface, with bodies that throw, so that one mistake gives one error.
        Rejected: bool
        /// What the tuning file has for this spec.
        Tuned: TunedPlan list
    }
