using ILGPU.IR;
using ILGPU.IR.Rewriting;
using ILGPU.IR.Transformations;
using ILGPU.IR.Values;

namespace FlashGen.Support;

/// <summary>
/// Takes out of methods what is never run in them. A kernel is written for all variants; what one does not have it says by properties
/// that are constants. Most of what the kernel calls is called by nobody then, and need not be inlined to be thrown away.
/// </summary>
internal static class ConstantBranches
{
    private static readonly Rewriter calls = new(),
        folds = new();

    static ConstantBranches()
    {
        calls.Add<MethodCall>(
            call => Constant(call.Target) != null,
            (context, call) =>
            {
                PrimitiveValue constant = Constant(call.Target)!;
                context.ReplaceAndRemove(
                    call,
                    context.Builder.CreatePrimitiveValue(call.Location, constant.BasicValueType, constant.RawValue)
                );
            }
        );
        // ILGPU computes with constants where it makes a value, and made `not` of what was a call.
        folds.Add<UnaryArithmeticValue>(
            unary => unary.Value.Resolve() is PrimitiveValue,
            (context, unary) =>
                context.ReplaceAndRemove(
                    unary,
                    context.Builder.CreateArithmetic(unary.Location, unary.Value, unary.Kind, unary.Flags)
                )
        );
    }

    /// <summary>Removes from all methods the branches that constant methods decide.</summary>
    public static void Remove(IRContext methods)
    {
        new Rewriting(calls).Transform(methods.Methods);
        new Rewriting(folds).Transform(methods.Methods);
        new UnreachableCodeElimination().Transform(methods.Methods);
    }

    // What the method returns, where that is a constant and it does nothing else.
    private static PrimitiveValue? Constant(Method method)
    {
        if (!method.HasImplementation)
            return null;
        PrimitiveValue? constant = null;
        foreach (BasicBlock block in method.Blocks)
        {
            foreach (BasicBlock.ValueEntry entry in block)
                if (entry.Value is not PrimitiveValue)
                    return null;
            if (block.Terminator is ReturnTerminator end)
                constant = end.ReturnValue.Resolve() as PrimitiveValue;
            else if (block.Terminator is not UnconditionalBranch)
                return null;
        }
        return constant;
    }

    private sealed class Rewriting(Rewriter rewriter) : UnorderedTransformation
    {
        protected override bool PerformTransformation(Method.Builder builder) =>
            rewriter.Rewrite(builder.SourceBlocks, builder);
    }
}
