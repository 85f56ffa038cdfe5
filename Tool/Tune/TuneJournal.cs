using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FlashGen.Tool.Tune;

/// <summary>
/// Every measurement, as soon as it is made: one JSON object a line, beside the plans file. A run that was stopped, whatever stopped it,
/// goes on from here.
/// </summary>
internal sealed class TuneJournal : IDisposable
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly List<TuneRecord> records;
    private readonly FileStream stream;
    private readonly string path;

    private TuneJournal(string path, List<TuneRecord> records, FileStream stream) =>
        (this.path, this.records, this.stream) = (path, records, stream);

    /// <summary>What was measured, by this run and those before it.</summary>
    public IReadOnlyList<TuneRecord> Records => records;

    /// <summary>The journal of a plans file.</summary>
    public static string PathOf(string plans) => plans + ".journal";

    /// <summary>Opens a journal to go on with it.</summary>
    /// <exception cref="ToolException">It cannot be read or written.</exception>
    public static TuneJournal Open(string path)
    {
        try
        {
            List<TuneRecord> records = File.Exists(path) ? [.. Parse(File.ReadAllText(path))] : [];
            // Without a buffer: what a full disk did not take would be tried again at the end, and fail there without a word of whose it is.
            FileStream stream = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
            TuneJournal journal = new(path, records, stream);
            // What was torn stays a line of its own.
            if (stream.Position != 0)
                journal.WriteLine("");
            return journal;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ToolException($"{path}: the journal cannot be written: {e.Message}", e);
        }
    }

    /// <summary>The records of a journal; lines that are none, such as a torn last one, are passed over.</summary>
    public static IEnumerable<TuneRecord> Parse(string text)
    {
        foreach (
            string line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        )
        {
            TuneRecord? record;
            try
            {
                record = JsonSerializer.Deserialize<TuneRecord>(line, Json);
            }
            catch (JsonException)
            {
                continue;
            }
            if (record is not null)
                yield return record;
        }
    }

    /// <summary>A record as a line.</summary>
    public static string Line(TuneRecord record) => JsonSerializer.Serialize(record, Json);

    /// <summary>Writes a record down.</summary>
    /// <exception cref="ToolException">The disk is full or gone.</exception>
    public void Add(TuneRecord record)
    {
        records.Add(record);
        WriteLine(Line(record));
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();

    private void WriteLine(string line)
    {
        try
        {
            stream.Write(Encoding.UTF8.GetBytes(line + "\n"));
            stream.Flush();
        }
        catch (IOException e)
        {
            throw new ToolException($"{path}: the journal cannot be written: {e.Message}", e);
        }
    }
}
