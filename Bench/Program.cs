using FlashGen.Bench.Cpu;
using FlashGen.Bench.Micro;

// bench cpu [words]: the table of what must hold beside the peers, or the cases whose names have one of the words.
// bench micro [arguments]: the micro-kernels, by BenchmarkDotNet.
// bench plans FILE PICTURE: what the measured plans of a flashgen.plans gain over the planner's, as a table and a chart.
// bench child ...: what `cpu` starts in processes of their own.
switch (args)
{
    case ["cpu", .. string[] words]:
        CpuBench.Run(words);
        return 0;
    case ["micro", .. string[] arguments]:
        MicroBench.Run(arguments);
        return 0;
    case ["plans", string plans, string picture]:
        return PlanCharts.Draw(plans, picture);
    case ["child", string task, string threads]:
        Children.Run(task, int.Parse(threads));
        return 0;
    default:
        Console.Error.WriteLine(
            "usage: bench cpu [words of a case's name] | bench micro [BenchmarkDotNet's arguments] | bench plans FILE.plans PICTURE.png"
        );
        return 2;
}
