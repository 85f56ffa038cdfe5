using System.Reflection;
using System.Runtime.InteropServices;
using FlashGen.Bench.Machine;

namespace FlashGen.Bench.Peers;

/// <summary>
/// libtorch's fused attention on the CPU, <c>_scaled_dot_product_flash_attention_for_cpu</c>: what torch's
/// <c>scaled_dot_product_attention</c> runs for these inputs. It is called through libtorch's own C interface, which compiled models
/// (AOTInductor) use, so nothing of a binding is measured with it.
/// </summary>
static unsafe class Libtorch
{
    private static readonly nint Library;
    private static readonly delegate* unmanaged<int, void> SetNumThreads;
    private static readonly delegate* unmanaged<
        void*,
        long,
        long*,
        long*,
        long,
        int,
        int,
        int,
        void**,
        int> CreateTensorFromBlob;
    private static readonly delegate* unmanaged<void*, int> DeleteTensorObject;
    private static readonly delegate* unmanaged<void*, void**, int> GetDataPointer;
    private static readonly delegate* unmanaged<
        void*,
        void*,
        void*,
        double,
        int,
        void**,
        double*,
        void**,
        void**,
        int> FlashAttention;
    private static readonly int Float32;

    static Libtorch()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            WhyNot = "the bench fetches libtorch for Linux on x64 only";
            return;
        }
        try
        {
            // Its neighbours in the package folder are found through its own run path.
            Library = NativeLibrary.Load("libtorch_cpu.so", Assembly.GetExecutingAssembly(), null);
            SetNumThreads = (delegate* unmanaged<int, void>)Find("_ZN2at15set_num_threadsEi");
            CreateTensorFromBlob = (delegate* unmanaged<
                void*,
                long,
                long*,
                long*,
                long,
                int,
                int,
                int,
                void**,
                int>)Find("aoti_torch_create_tensor_from_blob");
            DeleteTensorObject = (delegate* unmanaged<void*, int>)Find("aoti_torch_delete_tensor_object");
            GetDataPointer = (delegate* unmanaged<void*, void**, int>)Find("aoti_torch_get_data_ptr");
            FlashAttention = (delegate* unmanaged<
                void*,
                void*,
                void*,
                double,
                int,
                void**,
                double*,
                void**,
                void**,
                int>)Find("aoti_torch_cpu__scaled_dot_product_flash_attention_for_cpu");
            Float32 = ((delegate* unmanaged<int>)Find("aoti_torch_dtype_float32"))();
            ((delegate* unmanaged<byte, void>)Find("aoti_torch_grad_mode_set_enabled"))(0);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            WhyNot = e.Message.ReplaceLineEndings(" ");
        }
    }

    /// <summary>Why libtorch does not run here; null where it does.</summary>
    public static string? WhyNot { get; }

    /// <summary>A float32 tensor (1, heads, length, dim) over memory of the bench.</summary>
    public static Tensor Wrap(Buffer<float> buffer, int heads, int length, int dim)
    {
        long* sizes = stackalloc long[] { 1, heads, length, dim };
        long* strides = stackalloc long[] { (long)heads * length * dim, (long)length * dim, dim, 1 };
        void* handle;
        Check(CreateTensorFromBlob(buffer.Pointer, 4, sizes, strides, 0, Float32, 0, 0, &handle));
        return new(handle);
    }

    /// <summary>Attention by so many threads; the result is libtorch's own memory, given back at once, as its user would.</summary>
    public static void Attend(Tensor query, Tensor key, Tensor value, bool isCausal, int threads) =>
        Attend(query, key, value, isCausal, threads, []);

    /// <summary>
    /// Attention by so many threads. An output that is not empty receives the result; of one head only, because libtorch lays the
    /// result out as (batch, length, heads, dim) and shows it transposed.
    /// </summary>
    public static void Attend(Tensor query, Tensor key, Tensor value, bool isCausal, int threads, Span<float> output)
    {
        SetNumThreads(threads);
        void* result,
            logSumExp;
        Check(
            FlashAttention(query.Handle, key.Handle, value.Handle, 0, isCausal ? 1 : 0, null, null, &result, &logSumExp)
        );
        if (!output.IsEmpty)
        {
            void* data;
            Check(GetDataPointer(result, &data));
            new Span<float>(data, output.Length).CopyTo(output);
        }
        DeleteTensorObject(result);
        DeleteTensorObject(logSumExp);
    }

    private static nint Find(string name) => NativeLibrary.GetExport(Library, name);

    private static void Check(int error)
    {
        if (error != 0)
            throw new InvalidOperationException("libtorch refused the call; it says why on the error output.");
    }

    /// <summary>A handle of libtorch's.</summary>
    public sealed class Tensor(void* handle) : IDisposable
    {
        public void* Handle => handle;

        public void Dispose() => DeleteTensorObject(handle);
    }
}
