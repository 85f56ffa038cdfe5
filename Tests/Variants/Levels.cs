namespace FlashGen.Tests.Variants;

/// <summary>What NestedHelpers calls from its own file.</summary>
internal static class Levels
{
    public static int Of(Table<int> levels, int key) => key < levels.Length ? levels[key] : Half(key) % 5;

    public static int Half(int x)
    {
        int y = x + 1;
        return y / 2;
    }
}
