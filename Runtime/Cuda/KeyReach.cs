using System.ComponentModel;

namespace FlashGen.Support;

/// <summary>Which keys the rows of a variant keep, as far as it is known before a call: whether tiles of rows have as many.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public enum KeyReach
{
    /// <summary>All of them: tiles are alike.</summary>
    All,

    /// <summary>From the first on up to one of the row's own: a tile from each end of a head together are as good as alike.</summary>
    FromFirst,

    /// <summary>Any: nothing is known of a tile.</summary>
    Some,
}
