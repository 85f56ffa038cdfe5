using static FlashGen.Generators.Emit.CodeText;

namespace FlashGen.Generators.Emit.Tensor;

/// <summary>
/// What is found again instead of kept where registers run short: what only some tiles or the stores need would be kept over the loop over
/// tiles, and spill there. The driver's compiler keeps what it can tell to be the same, so that what is found again starts from a thread's
/// number that is asked for anew, or from a 0 that the compiler does not know.
/// </summary>
internal sealed partial class Sm90Emitter
{
    // Three warpgroups share the registers.
    private bool IsTight => Consumers > 2;

    // Two have enough at 64 dimensions, where a shuffle more in each tile of rows is what short shapes and cheap score changes feel.
    private string RunsShort =>
        IsTight ? "true"
        : tile.HeadDim > 64 ? "TMods.HasChanges"
        : "false";

    private string WhereShort(string then, string otherwise) =>
        RunsShort switch
        {
            "true" => then,
            "false" => otherwise,
            string condition => $"({condition} ? {then} : {otherwise})",
        };

    // The thread's number in its group.
    private string ThreadNumber => WhereShort("TensorWarp.Thread()", "Group.IdxX");

    // A number that is the same in all threads of a warp: in uniform registers where the others run short.
    private string Same(string number) => WhereShort($"TensorWarp.Uniform({number})", number);

    // What the stores need, behind the loop.
    private string FindAgain
    {
        get
        {
            string again = $$"""
                thread.Number = TensorWarp.Thread();
                item.FirstRow += call.Zero;
                item.Head = TensorItem.Head(call, memory, item, firstHead, thread.Number);
                thread.Row = TensorItem.Query(call, memory, item, {{Row("thread.Number")}}, thread.Number);
                """;
            return RunsShort switch
            {
                "true" => again,
                "false" => "",
                string condition => $"if ({condition})\n{{\n{Indent(again, 1)}\n}}",
            };
        }
    }

    // The rows as a cut tile needs them.
    private string FindRowsAgain
    {
        get
        {
            string again = $$"""
                if (TMods.HasRest)
                {
                    rows = TensorThread<TRow>.At(call, memory, item, mods, {{Row("Group.IdxX")}} + call.Zero);
                }
                """;
            string all = """
                else if (!TMods.HasMask && TMods.HasChanges)
                {
                    rows.KeepAll(item.KeyLength);
                }
                """;
            string bounds = """
                else if (TMods.HasChanges)
                {
                    PortableItem same = item;
                    same.KeyLength += tiles.Tile * call.Zero;
                    rows.FindBounds(call, memory, same, mods, rows.Row + tiles.Tile * call.Zero);
                }
                """;
            return again + "\n" + (IsTight ? bounds : all);
        }
    }

    // The number of a thread that multiplies its scores again, which is rare. Where scores change it takes as long as in the loop.
    private string NumberAgain =>
        IsTight || tile.HeadDim > 64 ? "TensorWarp.Thread()" : "TMods.HasChanges ? Group.IdxX : TensorWarp.Thread()";

    // By which it finds its queries then. With three warpgroups the loop is 3 to 4 % slower where that is asked for anew by a shuffle, too; the
    // stage and a 0 that the compiler does not know keep it from being kept.
    private string NumberOfQueries => IsTight ? "Group.IdxX + stage * call.Zero" : "number";
}
