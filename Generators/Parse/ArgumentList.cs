using FlashGen.Dsl;
using FlashGen.Generators.Report;
using Microsoft.CodeAnalysis;

namespace FlashGen.Generators.Parse;

/// <summary>
/// The run-time arguments of a declaration, in the order of Forward's parameters: the ready-made ones in their fixed order,
/// then those of the mods in order of first appearance. One name is one argument.
/// </summary>
internal sealed class ArgumentList
{
    private readonly ParseContext _context;
    private readonly List<Argument> _arguments = [];
    private readonly Dictionary<string, string> _owners = new(StringComparer.Ordinal);

    public ArgumentList(IEnumerable<Argument> readyMade, ParseContext context)
    {
        _context = context;
        foreach (var argument in readyMade)
        {
            _arguments.Add(argument);
            _owners.Add(argument.Name, "the ready-made attributes");
        }
    }

    public IReadOnlyList<Argument> Arguments => _arguments;

    /// <summary>Adds a parameter of a mod, or reports why it cannot be an argument.</summary>
    public void Add(IParameterSymbol parameter, ArgumentType type)
    {
        var name = parameter.Name;
        var at = parameter.Locations.FirstOrDefault();
        if (GeneratedMembers.ForwardParameters.Contains(name))
        {
            _context.Report(DiagnosticCatalog.ArgumentReserved, at, name);
            // Under another name, so that calls of the refused class's Forward still have their place for it.
            name += "Argument";
        }
        var known = _arguments.Find(argument => argument.Name == name);
        if (known is null)
        {
            _arguments.Add(new Argument(name, type));
            _owners.Add(name, $"'{parameter.ContainingSymbol.Name}'");
        }
        else if (!known.Type.Equals(type))
        {
            _context.Report(
                DiagnosticCatalog.ArgumentClash,
                at,
                name,
                ModTypes.Show(type),
                ModTypes.Show(known.Type),
                _owners[name]
            );
        }
    }
}
