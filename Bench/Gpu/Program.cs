using System.Text.Json;
using FlashGen.Bench.Gpu;

// flashgen-gpu-bench serve           answers one JSON request a line: see Request
// flashgen-gpu-bench ptx DIR [TEXT]  writes the PTX of every tensor-core kernel with TEXT in its name, for an assembler to look at
switch (args)
{
    case ["serve"]:
        using (Server server = new())
            while (Console.ReadLine() is { } line)
                Console.WriteLine(JsonSerializer.Serialize(server.Answer(JsonSerializer.Deserialize<Request>(line)!)));
        return 0;
    case ["ptx", var folder]:
        PtxFiles.Write(folder, "");
        return 0;
    case ["ptx", var folder, var text]:
        PtxFiles.Write(folder, text);
        return 0;
    default:
        Console.Error.WriteLine("usage: flashgen-gpu-bench serve | ptx DIR [TEXT]");
        return 1;
}
