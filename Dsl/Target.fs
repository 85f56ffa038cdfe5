/// What a target offers a plan: the sizes that a kernel must fit.
namespace FlashGen.Dsl

/// How the number of queries and keys shapes the work; plans are keyed by it.
type ShapeClass =
    /// At most 1024 keys.
    | Short
    | Long
    /// A few queries against many keys.
    | Decode

type TargetDescription =
    {
        Kind: TargetKind
        /// Bits of a vector register; 0 on devices.
        VectorBits: int
        /// Vector registers, or 32-bit registers a thread.
        Registers: int
        /// Bytes that a tile may take: scratch of a thread on a CPU, shared memory of a group on a device.
        MemoryBytes: int
        /// Threads of the largest group; 1 on a CPU.
        GroupThreads: int
    }

[<RequireQualifiedAccess>]
module TargetDescription =
    /// Scratch that one CPU thread may use; a tile beyond it leaves the second-level cache.
    let private simdScratch = 1 <<< 20

    let simd vectorBits =
        {
            Kind = Simd
            VectorBits = vectorBits
            Registers = (if vectorBits = 512 then 32 else 16)
            MemoryBytes = simdScratch
            GroupThreads = 1
        }

    /// The widths that a variant is emitted for; which one runs is decided by the hardware.
    let simdWidths = [ 512; 256; 128 ]

    /// Any ILGPU device: 48 KB of shared memory is what every CUDA and most OpenCL devices give a group.
    let portable groupThreads =
        {
            Kind = Portable
            VectorBits = 0
            Registers = 255
            MemoryBytes = 48 * 1024
            GroupThreads = groupThreads
        }

    /// The group sizes that device kernels are written for. Few of many: ILGPU's default CPU device has groups of 16, its others of
    /// 32 and more are slow beyond that, and 256 is what every CUDA and OpenCL device has.
    let portableGroups = [ 16; 32; 64; 128; 256 ]

    /// NVIDIA's tensor cores: registers of a thread, and the shared memory that a group may ask for (CUDA C++ programming guide,
    /// "Compute capabilities"): 227 KB on Hopper; on Ampere the 99 KB that every device from 8.0 on has.
    let tensor kind =
        {
            Kind = kind
            VectorBits = 0
            Registers = 255
            MemoryBytes = (if kind = Sm90 then 227 * 1024 else 99 * 1024)
            GroupThreads = 512
        }

    /// The target's name in canonical texts and messages.
    let name kind =
        match kind with
        | Simd -> "simd"
        | Portable -> "portable"
        | Sm80 -> "sm80"
        | Sm90 -> "sm90"
