using System.Runtime.Intrinsics;

var width =
    Vector512.IsHardwareAccelerated ? 512
    : Vector256.IsHardwareAccelerated ? 256
    : 128;
Console.WriteLine($"{Environment.ProcessorCount} cores, vectors of {width} bits");
