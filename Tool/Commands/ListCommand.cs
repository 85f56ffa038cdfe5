using System.CommandLine;
using System.Globalization;
using FlashGen.Tool.Arguments;
using FlashGen.Tool.Variants;
using Spectre.Console;

namespace FlashGen.Tool.Commands;

/// <summary><c>flashgen list</c>: the variants, one a line.</summary>
internal static class ListCommand
{
    public static Command Create(Terminal terminal)
    {
        Option<string?> assembly = CommonOptions.Assembly();
        Command command = new("list", "Lists the variants of the gallery, or of another assembly.") { assembly };
        command.SetAction(parsed => List(terminal, VariantCatalog.Open(parsed.GetValue(assembly))));
        return command;
    }

    private static int List(Terminal terminal, VariantCatalog catalog)
    {
        Table table = new() { Border = TableBorder.Simple };
        table.AddColumns("Variant", "Head dimensions", "Types", "Arguments");
        foreach (AttentionVariant variant in catalog.Variants)
            table.AddRow(
                new Text(variant.Name),
                new Text(Describe.Dims(variant)),
                new Text(Describe.Types(variant.Types)),
                new Text(string.Join(", ", variant.Arguments.Select(ArgumentReader.Describe)))
            );
        terminal.Output.Write(table);
        terminal.Writer.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{catalog.Variants.Count} variants of {catalog.Source}; `flashgen show VARIANT{catalog.Option}` says more."
            )
        );
        return 0;
    }
}
