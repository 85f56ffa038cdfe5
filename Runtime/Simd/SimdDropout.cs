using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FlashGen.Support;

/// <summary>Drops entries of a panel of probabilities (semantics 11); the factor on those kept is applied with the row sums.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static unsafe class SimdDropout
{
    private const MethodImplOptions Hot = MethodImplOptions.AggressiveOptimization;

    /// <summary>Zeroes what the draws drop for the first rows of a panel of keys x panelRows probabilities.</summary>
    [MethodImpl(Hot)]
    public static void Apply<TReal>(
        in SimdCall call,
        in SimdItem item,
        int firstRow,
        int rows,
        int panelRows,
        int firstKey,
        int keys,
        TReal* panel
    )
        where TReal : unmanaged
    {
        if (call.DropoutThreshold == 0)
            return;
        uint batchHead = (uint)(item.Batch * call.QueryHeads + item.Head);
        int end = firstKey + keys;
        // One call of the generator serves eight keys of a block of 32: 2c, 2c + 1, and those 8, 16 and 24 further.
        for (int block = firstKey / 32; block * 32 < end; block++)
        for (int c = 0; c < 4; c++)
        {
            Draws<TReal> draws = new()
            {
                Call = call,
                BatchHead = batchHead,
                Group = (uint)(block * 4 + c),
                FirstKey = block * 32 + 2 * c - firstKey,
                Keys = keys,
                Panel = panel,
                PanelRows = panelRows,
            };
            int row = 0;
            if (Avx512F.IsSupported)
                for (; row + 8 <= rows; row += 8)
                    draws.Eight(firstRow + row, row);
            if (Avx2.IsSupported)
                for (; row + 4 <= rows; row += 4)
                    draws.Four(firstRow + row, row);
            for (; row < rows; row++)
                draws.One(firstRow + row, row);
        }
    }

    /// <summary>What one call of the generator decides: the entries of eight keys in a row of the panel.</summary>
    private struct Draws<TReal>
        where TReal : unmanaged
    {
        public SimdCall Call;
        public uint BatchHead,
            Group;

        // The first of the eight, counted from the panel's first key.
        public int FirstKey,
            Keys,
            PanelRows;
        public TReal* Panel;

        [MethodImpl(Hot)]
        public readonly void One(int query, int row)
        {
            PhiloxWords words = Philox.DropoutWords(
                Call.DropoutSeed,
                Call.DropoutOffset,
                BatchHead,
                (uint)query,
                Group
            );
            One(words.X0, FirstKey, row);
            One(words.X1, FirstKey + 8, row);
            One(words.X2, FirstKey + 16, row);
            One(words.X3, FirstKey + 24, row);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void One(uint word, int key, int row)
        {
            if ((word & 0xFFFF) < Call.DropoutThreshold && Has(key))
                *Entry(key, row) = default;
            if (word >> 16 < Call.DropoutThreshold && Has(key + 1))
                *Entry(key + 1, row) = default;
        }

        /// <summary>
        /// Eight rows at once. Words live in the lower halves of 64-bit lanes, where multiplication leaves both halves of a product;
        /// what stands in the upper halves never matters.
        /// </summary>
        [MethodImpl(Hot)]
        public readonly void Eight(int query, int row)
        {
            Vector512<ulong> c0 = Vector512.Create((ulong)Group);
            Vector512<ulong> c1 = Vector512.Create((ulong)(uint)query) + Vector512<ulong>.Indices;
            Vector512<ulong> c2 = Vector512.Create((ulong)BatchHead);
            Vector512<ulong> c3 = Vector512.Create((ulong)Call.DropoutOffset);
            uint k0 = (uint)Call.DropoutSeed,
                k1 = (uint)(Call.DropoutSeed >> 32);
            for (int round = 0; round < 10; round++)
            {
                Vector512<ulong> p0 = Avx512F.Multiply(c0.AsUInt32(), Vector512.Create(0xD2511F53ul).AsUInt32());
                Vector512<ulong> p1 = Avx512F.Multiply(c2.AsUInt32(), Vector512.Create(0xCD9E8D57ul).AsUInt32());
                c0 = (p1 >> 32) ^ c1 ^ Vector512.Create((ulong)k0);
                c1 = p1;
                c2 = (p0 >> 32) ^ c3 ^ Vector512.Create((ulong)k1);
                c3 = p0;
                k0 = unchecked(k0 + 0x9E3779B9u);
                k1 = unchecked(k1 + 0xBB67AE85u);
            }
            Eight(c0, FirstKey, row);
            Eight(c1, FirstKey + 8, row);
            Eight(c2, FirstKey + 16, row);
            Eight(c3, FirstKey + 24, row);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Eight(Vector512<ulong> words, int key, int row)
        {
            if (typeof(TReal) == typeof(float))
            {
                Vector256<uint> bits = Avx512F.ConvertToVector256UInt32(words);
                Vector256<uint> threshold = Vector256.Create(Call.DropoutThreshold);
                if (Has(key))
                    Drop(Vector256.LessThan(bits & Vector256.Create(0xFFFFu), threshold), Entry(key, row));
                if (Has(key + 1))
                    Drop(Vector256.LessThan(bits >> 16, threshold), Entry(key + 1, row));
            }
            else
            {
                Vector512<ulong> low = Vector512.Create(0xFFFFul);
                Vector512<ulong> threshold = Vector512.Create((ulong)Call.DropoutThreshold);
                if (Has(key))
                    Drop(Vector512.LessThan(words & low, threshold), Entry(key, row));
                if (Has(key + 1))
                    Drop(Vector512.LessThan((words >> 16) & low, threshold), Entry(key + 1, row));
            }
        }

        /// <summary>Four rows at once, in the same way.</summary>
        [MethodImpl(Hot)]
        public readonly void Four(int query, int row)
        {
            Vector256<ulong> c0 = Vector256.Create((ulong)Group);
            Vector256<ulong> c1 = Vector256.Create((ulong)(uint)query) + Vector256<ulong>.Indices;
            Vector256<ulong> c2 = Vector256.Create((ulong)BatchHead);
            Vector256<ulong> c3 = Vector256.Create((ulong)Call.DropoutOffset);
            uint k0 = (uint)Call.DropoutSeed,
                k1 = (uint)(Call.DropoutSeed >> 32);
            for (int round = 0; round < 10; round++)
            {
                Vector256<ulong> p0 = Avx2.Multiply(c0.AsUInt32(), Vector256.Create(0xD2511F53ul).AsUInt32());
                Vector256<ulong> p1 = Avx2.Multiply(c2.AsUInt32(), Vector256.Create(0xCD9E8D57ul).AsUInt32());
                c0 = (p1 >> 32) ^ c1 ^ Vector256.Create((ulong)k0);
                c1 = p1;
                c2 = (p0 >> 32) ^ c3 ^ Vector256.Create((ulong)k1);
                c3 = p0;
                k0 = unchecked(k0 + 0x9E3779B9u);
                k1 = unchecked(k1 + 0xBB67AE85u);
            }
            Four(c0, FirstKey, row);
            Four(c1, FirstKey + 8, row);
            Four(c2, FirstKey + 16, row);
            Four(c3, FirstKey + 24, row);
        }

        // Compared are signed numbers, all below 2^16: for others there is no instruction.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private readonly void Four(Vector256<ulong> words, int key, int row)
        {
            if (typeof(TReal) == typeof(float))
            {
                Vector256<uint> lower = Vector256.Create(0u, 2, 4, 6, 0, 0, 0, 0);
                Vector128<int> bits = Avx2.PermuteVar8x32(words.AsUInt32(), lower).GetLower().AsInt32();
                Vector128<int> threshold = Vector128.Create((int)Call.DropoutThreshold);
                if (Has(key))
                    Drop(Vector128.LessThan(bits & Vector128.Create(0xFFFF), threshold), Entry(key, row));
                if (Has(key + 1))
                    Drop(Vector128.LessThan(bits >>> 16, threshold), Entry(key + 1, row));
            }
            else
            {
                Vector256<long> low = Vector256.Create(0xFFFFL);
                Vector256<long> threshold = Vector256.Create((long)Call.DropoutThreshold);
                if (Has(key))
                    Drop(Vector256.LessThan(words.AsInt64() & low, threshold), Entry(key, row));
                if (Has(key + 1))
                    Drop(Vector256.LessThan((words.AsInt64() >>> 16) & low, threshold), Entry(key + 1, row));
            }
        }

        private readonly bool Has(int key) => (uint)key < (uint)Keys;

        private readonly TReal* Entry(int key, int row) => Panel + (long)key * PanelRows + row;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Drop<T>(Vector512<T> dropped, void* entries)
            where T : unmanaged => Vector512.AndNot(Vector512.Load((T*)entries), dropped).Store((T*)entries);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Drop<T>(Vector256<T> dropped, void* entries)
            where T : unmanaged => Vector256.AndNot(Vector256.Load((T*)entries), dropped).Store((T*)entries);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Drop<T>(Vector128<T> dropped, void* entries)
            where T : unmanaged => Vector128.AndNot(Vector128.Load((T*)entries), dropped).Store((T*)entries);
    }
}
