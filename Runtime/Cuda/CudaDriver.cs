using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace FlashGen.Support;

/// <summary>The few calls of NVIDIA's driver that ILGPU does not offer (CUDA driver API: modules, functions, tensor maps).</summary>
internal static unsafe partial class CudaDriver
{
    private const string Library = "cuda-driver";

    private const int InfoLogBuffer = 3,
        InfoLogSize = 4,
        ErrorLogBuffer = 5,
        ErrorLogSize = 6,
        LogVerbose = 12;

    private const int LogBytes = 1 << 16;

    static CudaDriver() => NativeLibrary.SetDllImportResolver(typeof(CudaDriver).Assembly, Resolve);

    /// <summary>The driver's version as major * 1000 + minor * 10, in CUDA's numbers; 0 when there is none.</summary>
    public static int Version => cuDriverGetVersion(out int version) == 0 ? version : 0;

    /// <summary>The most shared memory that a thread group of a device can ask for, in bytes.</summary>
    public static int MaxSharedBytes(int ordinal)
    {
        const int MaxSharedMemoryPerBlockOptIn = 97;
        Check(cuDeviceGet(out int device, ordinal), "cuDeviceGet");
        Check(cuDeviceGetAttribute(out int bytes, MaxSharedMemoryPerBlockOptIn, device), "cuDeviceGetAttribute");
        return bytes;
    }

    /// <summary>Loads PTX in the current context.</summary>
    /// <returns>The module.</returns>
    /// <exception cref="InvalidOperationException">It does not compile; the message carries the driver's log.</exception>
    public static nint LoadModule(string ptx, string what)
    {
        byte[] text = Encoding.UTF8.GetBytes(ptx + "\0");
        byte[] info = new byte[LogBytes],
            error = new byte[LogBytes];
        int* options = stackalloc int[] { InfoLogBuffer, InfoLogSize, ErrorLogBuffer, ErrorLogSize, LogVerbose };
        fixed (
            byte* image = text,
                infoLog = info,
                errorLog = error
        )
        {
            nint* values = stackalloc nint[] { (nint)infoLog, LogBytes, (nint)errorLog, LogBytes, 1 };
            int result = cuModuleLoadDataEx(out nint module, image, 5, options, values);
            if (result != 0)
                throw new InvalidOperationException(
                    $"The driver refuses {what} ({Name(result)}): {Log(error)}{Log(info)}"
                );
            return module;
        }
    }

    /// <summary>A kernel of a module, allowed so much dynamic shared memory.</summary>
    public static nint Function(nint module, string name, int sharedBytes)
    {
        Check(cuModuleGetFunction(out nint function, module, name), "cuModuleGetFunction");
        const int MaxDynamicShared = 8;
        Check(cuFuncSetAttribute(function, MaxDynamicShared, sharedBytes), "cuFuncSetAttribute");
        return function;
    }

    /// <summary>Queues a kernel.</summary>
    /// <param name="function">The kernel.</param>
    /// <param name="groups">How many groups.</param>
    /// <param name="threads">Threads of a group.</param>
    /// <param name="sharedBytes">Dynamic shared memory of a group.</param>
    /// <param name="stream">The stream.</param>
    /// <param name="parameters">Addresses of its parameters.</param>
    /// <param name="isFollowing">Whether it may begin before the stream's last kernel has ended, for which it waits itself.</param>
    public static void Launch(
        nint function,
        int groups,
        int threads,
        int sharedBytes,
        nint stream,
        ReadOnlySpan<nint> parameters,
        bool isFollowing
    )
    {
        const int ProgrammaticStreamSerialization = 6;
        LaunchAttribute attribute = new() { Id = ProgrammaticStreamSerialization, Value = 1 };
        LaunchConfiguration configuration = new()
        {
            GridX = (uint)groups,
            GridY = 1,
            GridZ = 1,
            BlockX = (uint)threads,
            BlockY = 1,
            BlockZ = 1,
            SharedBytes = (uint)sharedBytes,
            Stream = stream,
            Attributes = &attribute,
            AttributeCount = isFollowing ? 1u : 0,
        };
        fixed (nint* addresses = parameters)
            Check(cuLaunchKernelEx(&configuration, function, addresses, null), "cuLaunchKernelEx");
    }

    /// <summary>Whether calls on a stream become a graph instead of being queued.</summary>
    public static bool IsCapturing(nint stream)
    {
        Check(cuStreamIsCapturing(stream, out int status), "cuStreamIsCapturing");
        return status != 0;
    }

    public static void Unload(nint module) => cuModuleUnload(module);

    /// <summary>Encodes a map of a tensor of 16-bit elements with up to five dimensions, tiles in rows of 128 swizzled bytes, zeros outside.</summary>
    /// <param name="map">128 bytes at a multiple of 64.</param>
    /// <param name="isBFloat16">The element type: bfloat16, or float16.</param>
    /// <param name="address">A multiple of 16.</param>
    /// <param name="isShared">Whether several groups read the same elements, so that 256 bytes at a time come to the cache.</param>
    /// <param name="sizes">Elements in each dimension, from the inside out.</param>
    /// <param name="strides">Bytes from an entry to the next in each dimension but the first; multiples of 16.</param>
    /// <param name="box">Elements of a tile in each dimension; 64 in the first.</param>
    public static void EncodeMap(
        byte* map,
        bool isBFloat16,
        nint address,
        bool isShared,
        ReadOnlySpan<ulong> sizes,
        ReadOnlySpan<ulong> strides,
        ReadOnlySpan<int> box
    )
    {
        const int Float16 = 6,
            BFloat16 = 9,
            Swizzle128 = 3,
            PromoteNone = 0,
            Promote256 = 3;
        uint* steps = stackalloc uint[] { 1, 1, 1, 1, 1 };
        fixed (
            ulong* size = sizes,
                stride = strides
        )
        fixed (int* boxSize = box)
            Check(
                cuTensorMapEncodeTiled(
                    map,
                    isBFloat16 ? BFloat16 : Float16,
                    (uint)sizes.Length,
                    address,
                    size,
                    stride,
                    (uint*)boxSize,
                    steps,
                    0,
                    Swizzle128,
                    isShared ? Promote256 : PromoteNone,
                    0
                ),
                "cuTensorMapEncodeTiled"
            );
    }

    // CUlaunchConfig.
    [StructLayout(LayoutKind.Sequential)]
    private struct LaunchConfiguration
    {
        public uint GridX,
            GridY,
            GridZ,
            BlockX,
            BlockY,
            BlockZ,
            SharedBytes;

        public nint Stream;

        public LaunchAttribute* Attributes;

        public uint AttributeCount;
    }

    // CUlaunchAttribute; its value, a union, starts at 8.
    [StructLayout(LayoutKind.Explicit, Size = 72)]
    private struct LaunchAttribute
    {
        [FieldOffset(0)]
        public int Id;

        [FieldOffset(8)]
        public int Value;
    }

    private static string Log(byte[] log)
    {
        int end = Array.IndexOf(log, (byte)0);
        return Encoding.UTF8.GetString(log, 0, end < 0 ? log.Length : end);
    }

    private static void Check(int result, string call)
    {
        if (result != 0)
            throw new InvalidOperationException($"{call} failed: {Name(result)}.");
    }

    private static string Name(int result) =>
        cuGetErrorName(result, out nint name) == 0 && Marshal.PtrToStringUTF8(name) is { } text
            ? text
            : result.ToString(CultureInfo.InvariantCulture);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library ? NativeLibrary.Load(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1") : 0;

    [LibraryImport(Library)]
    private static partial int cuDriverGetVersion(out int version);

    [LibraryImport(Library)]
    private static partial int cuDeviceGet(out int device, int ordinal);

    [LibraryImport(Library)]
    private static partial int cuDeviceGetAttribute(out int value, int attribute, int device);

    [LibraryImport(Library)]
    private static partial int cuGetErrorName(int error, out nint name);

    [LibraryImport(Library)]
    private static partial int cuModuleLoadDataEx(out nint module, byte* image, uint count, int* options, nint* values);

    [LibraryImport(Library)]
    private static partial int cuModuleUnload(nint module);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int cuModuleGetFunction(out nint function, nint module, string name);

    [LibraryImport(Library)]
    private static partial int cuFuncSetAttribute(nint function, int attribute, int value);

    [LibraryImport(Library)]
    private static partial int cuLaunchKernelEx(
        LaunchConfiguration* configuration,
        nint function,
        nint* parameters,
        void** extra
    );

    [LibraryImport(Library)]
    private static partial int cuStreamIsCapturing(nint stream, out int status);

    [LibraryImport(Library)]
    private static partial int cuTensorMapEncodeTiled(
        byte* map,
        int type,
        uint rank,
        nint address,
        ulong* sizes,
        ulong* strides,
        uint* box,
        uint* steps,
        int interleave,
        int swizzle,
        int promotion,
        int fill
    );
}
