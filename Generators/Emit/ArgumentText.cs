using FlashGen.Dsl;

namespace FlashGen.Generators.Emit;

/// <summary>What a run-time argument is, in words and as data.</summary>
internal static class ArgumentText
{
    /// <summary>Shape and meaning of an argument.</summary>
    public static string Meaning(Argument argument) =>
        argument.Name switch
        {
            "scale" => "The factor on query times key; finite.",
            "slopes" => "ALiBi's slopes, (queryHeads) or (batch, queryHeads).",
            "bias" => "Added to the scores, addressed by biasStrides.",
            "biasStrides" => "Strides of the bias over (batch, head, query, key), in elements; 0 repeats.",
            "prefix" => "Keys that every query sees, (batch).",
            "queryDocument" => "The document of each query, (batch, queryLength).",
            "keyDocument" => "The document of each key, (batch, keyLength).",
            "sink" => "The logit of each query head's sink, (queryHeads).",
            "dropout" => "Probability, seed and offset of the dropout.",
            _ when argument.Type is ArgumentType.TableArgument =>
                "A table that the variant's own mask or score change reads.",
            _ => "A value that the variant's own mask or score change reads.",
        };

    /// <summary>The C# name of the argument's type, or of a table's elements: `int`, `float`.</summary>
    public static string TypeName(Argument argument) =>
        argument.Type switch
        {
            ArgumentType.TableArgument table => Names.TableElement(table.Item),
            ArgumentType.ScalarArgument scalar => Names.Scalar(scalar.Item),
            { IsBiasStridesArgument: true } => "BiasStrides",
            _ => "Dropout",
        };

    public static string Kind(Argument argument) =>
        argument.Type switch
        {
            ArgumentType.TableArgument => "Table",
            ArgumentType.ScalarArgument => "Scalar",
            { IsBiasStridesArgument: true } => "BiasStrides",
            _ => "Dropout",
        };
}
